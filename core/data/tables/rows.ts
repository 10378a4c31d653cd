import {
  BATCH_ROWS,
  type Cell,
  cellPlace,
  inexactNumber,
  numberOf,
  type RowBatch,
  refusedNumber,
  type TableRequest,
  textOf,
} from './batch.ts';
import type { Row } from './csv.ts';

/**
 * Rows as batches.
 *
 * @param rows  cells of the texts asked for, then of the numbers
 * @param share  of the file that has been read
 * @throws InvalidInputError for a cell that the request refuses, naming line and column
 */
export async function* batchRows(
  path: string,
  rows: AsyncIterable<Row<Cell>>,
  { request, share }: { readonly request: TableRequest; readonly share: () => number },
): AsyncGenerator<RowBatch> {
  let batch = makeBuilder(path, request);
  for await (const row of rows) {
    if (batch.add(row) < BATCH_ROWS) continue;
    yield batch.finish(share());
    batch = makeBuilder(path, request);
  }
  const last = batch.finish(share());
  if (last.size > 0) yield last;
}

function makeBuilder(path: string, request: TableRequest) {
  const lines = new Int32Array(BATCH_ROWS);
  const texts = request.texts.map((text) => ({ ...text, codes: new Int32Array(BATCH_ROWS) }));
  const numbers = request.numbers.map((rule) => ({ rule, values: new Float64Array(BATCH_ROWS) }));
  let size = 0;
  return {
    /** @returns rows so far */
    add({ line, cells }: Row<Cell>): number {
      lines[size] = line;
      texts.forEach(({ name, vocabulary, codes }, index) => {
        const text = textOf(cells[index]);
        if (text === null) throw inexactNumber(cellPlace(path, line, name));
        codes[size] = vocabulary.codeOf(text);
      });
      numbers.forEach(({ rule, values }, index) => {
        const value = numberOf(cells[texts.length + index], rule);
        if (typeof value === 'string') throw refusedNumber(cellPlace(path, line, rule.name), rule, value);
        values[size] = value;
      });
      size += 1;
      return size;
    },
    finish: (share: number): RowBatch => ({
      size,
      share,
      texts: texts.map(({ codes }) => codes.subarray(0, size)),
      numbers: numbers.map(({ values }) => values.subarray(0, size)),
      place: (row, column) => cellPlace(path, lines[row]!, column),
    }),
  };
}
