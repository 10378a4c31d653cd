import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { differencePlot } from './plot.ts';
import type { ScenarioSummary } from './summary.ts';
import { controlTable, methodTable } from './tables.ts';

/**
 * Puts tables and plots into the page between its marks, `<!-- made: NAME -->` and `<!-- /made -->`; the text around
 * them is written by hand.
 *
 * @throws Error when the page has no marks of a scenario
 */
export async function writeEvidence(page: string, summaries: readonly ScenarioSummary[]): Promise<void> {
  const pictures = path.join(path.dirname(page), 'evidence');
  await mkdir(pictures, { recursive: true });
  let text = await readFile(page, 'utf8');
  for (const summary of summaries) {
    await writeFile(path.join(pictures, `${summary.name}.svg`), differencePlot(summary));
    const picture = `![Difference of the disparity from the untouched model by method](evidence/${summary.name}.svg)`;
    text = fill(text, summary.name, [factsOf(summary), methodTable(summary), picture].join('\n\n'));
    text = fill(text, `${summary.name} controls`, controlTable(summary));
  }
  await writeFile(page, text);
}

function fill(text: string, name: string, content: string): string {
  const mark = `<!-- made: ${name} -->`;
  const start = text.indexOf(mark);
  const end = text.indexOf('<!-- /made -->', start);
  if (start < 0 || end < 0) throw new Error(`page: expected ${mark} … <!-- /made -->, found none`);
  return `${text.slice(0, start + mark.length)}\n\n${content}\n\n${text.slice(end)}`;
}

function factsOf({ audited, rows }: ScenarioSummary): string {
  const sizes = [...new Set(audited.map(({ rows, subjects }) => `${rows} rows of ${subjects} subjects`))];
  const seeds = Math.max(...rows.map((row) => row.seeds));
  return `${seeds} seeds; audited on ${sizes.join(', ')}.`;
}
