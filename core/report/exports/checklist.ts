import type { AuditReport } from '../../fairness/types.ts';
import { type ExportOptions, markdownTable, markdownText } from './markdown.ts';

/** What an audit says to an item, and what is left for people to say. */
export interface ChecklistItem {
  readonly number: string;
  readonly topic: string;
  /** null where this audit has nothing to say; Markdown. Absent where no audit has. */
  readonly fill?: (audit: AuditReport, options: ExportOptions) => string | null;
  /** What is open; null where the audit says all. */
  readonly open: string | null;
}

interface Checklist {
  readonly title: string;
  /** What is filled in here, and by whose wording. */
  readonly note: string;
  readonly items: readonly ChecklistItem[];
}

type State = 'filled' | 'partly' | 'open';

/** A checklist with what the audit fills and what stays open, as Markdown. */
export function checklistText(
  { title, note, items }: Checklist,
  audit: AuditReport,
  options: ExportOptions,
): string {
  const lines = items.map((item) => {
    const filled = item.fill?.(audit, options) ?? null;
    return { item, filled, state: stateOf(item, filled) };
  });
  const rows = lines.map(({ item, filled, state }) => [
    item.number,
    item.topic,
    state,
    filled ?? '–',
    item.open ?? (state === 'open' ? 'This audit has no such figure.' : '–'),
  ]);
  const size = (state: State) => lines.filter((line) => line.state === state).length;
  return `# ${title}

- Model: ${markdownText(options.model)}
- Data: ${markdownText(options.source)}
- Items: ${items.length}, of which filled ${size('filled')}, partly ${size('partly')}, open ${size('open')}

${note}

${markdownTable(['Item', 'Topic', 'State', 'From the audit', 'Open'], rows).replace(/---:/g, '---')}`;
}

function stateOf({ open }: ChecklistItem, filled: string | null): State {
  if (filled === null) return 'open';
  return open === null ? 'filled' : 'partly';
}
