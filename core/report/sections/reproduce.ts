import type { FileRecord, RunRecord } from '../../jobs/run-record.ts';
import { definitions, disclosure, paragraph, type Section } from '../page/layout.ts';
import { numberCell, row, table } from '../page/table.ts';
import { count, significant, thresholdText } from '../text/format.ts';
import { type Html, html } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';

/** Everything that the same figures can be made with again. */
export function reproduceSection(run: RunRecord): Section {
  return {
    id: 'reproduce',
    title: 'How to reproduce this run',
    body: html`${paragraph('The same version, backend, seed, options and inputs give the same files, byte by byte.')}
${facts(run)}
${optionTable(run)}
${fileTable('Input files', run.inputs)}
${fileTable('Output files', run.outputs)}`,
  };
}

function facts({ tool, environment, preset, seed, model, threshold }: RunRecord): Html {
  const { backend, backendVersion, backendDetail, node, platform } = environment;
  return definitions([
    ['Tool', `${tool.name} ${tool.version}`],
    ['Backend', `${backend} ${backendVersion}, ${backendDetail}`],
    ['Node.js', `${node} on ${platform}`],
    ['Preset', preset],
    ['Seed', String(seed)],
    ['Model', html`${nameHtml(model.name)}, ${model.format}, input ${model.inputShape.join(' \u00d7 ')}`],
    ['Head', html`${nameHtml(model.head)}, ${count(model.headWeights)} weights`],
    ['Body', `${count(model.bodyWeights)} weights`],
    [
      'Threshold',
      `${thresholdText(threshold.value)}, head bias shifted by ${significant(threshold.biasShift)}`,
    ],
  ]);
}

function optionTable({ options }: RunRecord): Html {
  const entries = Object.entries(options);
  if (entries.length === 0) return paragraph('No options are recorded.');
  const rows = entries.map(([name, value]) => row(name, [html`<td><code>${optionText(value)}</code></td>`]));
  const caption = 'Options of the run';
  return disclosure(
    `Options (${entries.length})`,
    table({ caption, columns: [{ title: 'Option' }, { title: 'Value' }], rows }),
  );
}

function optionText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
}

function fileTable(title: string, files: readonly FileRecord[]): Html {
  if (files.length === 0) return paragraph(`${title}: none recorded.`);
  const rows = files.map(({ name, bytes, sha256 }) =>
    row(nameHtml(name), [numberCell(count(bytes)), html`<td><code class="hash">${sha256}</code></td>`]),
  );
  const columns = [{ title: 'File' }, { title: 'Bytes', isNumeric: true }, { title: 'SHA-256' }];
  return disclosure(
    `${title} (${files.length})`,
    table({ caption: `${title} with their SHA-256`, columns, rows }),
  );
}
