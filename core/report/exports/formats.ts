import type { AuditReport } from '../../fairness/types.ts';
import { aiActChecklist } from './ai-act.ts';
import { chaiModelCard } from './chai-model-card.ts';
import { localLaw144Csv, localLaw144Markdown } from './local-law-144.ts';
import type { ExportOptions } from './markdown.ts';
import { modelCardSection } from './model-card.ts';
import { tripodAiChecklist } from './tripod-ai.ts';

interface ExportFormat {
  /** Name of the file that it becomes. */
  readonly file: string;
  /** @throws InvalidInputError where an audit of this kind has no such form */
  readonly render: (audit: AuditReport, options: ExportOptions) => string;
}

/** The forms that others ask for, by name. */
export const EXPORT_FORMATS = {
  'model-card': { file: 'model-card.md', render: modelCardSection },
  chai: { file: 'chai-model-card.xml', render: chaiModelCard },
  'nyc-ll144': { file: 'nyc-ll144.md', render: localLaw144Markdown },
  'nyc-ll144-csv': { file: 'nyc-ll144.csv', render: localLaw144Csv },
  'tripod-ai': { file: 'tripod-ai.md', render: tripodAiChecklist },
  'eu-ai-act': { file: 'eu-ai-act-annex-iv.md', render: aiActChecklist },
} satisfies Record<string, ExportFormat>;
export type ExportName = keyof typeof EXPORT_FORMATS;
