import { InvalidInputError } from '../errors.ts';
import { describeCell, parseNumber, quote } from './cells.ts';
import { makeNumberColumn } from './column-builder.ts';
import type { Columns } from './columns.ts';
import { predictionCoding } from './labels.ts';
import { codeLabels, makeColumnReader, makeSampleReader, requireCell } from './samples.ts';
import { readTable } from './table.ts';
import { cellPlace } from './tables/batch.ts';
import type { PredictionTable, Samples } from './types.ts';

interface OutputReader {
  readonly column: string;
  add(line: number, cell: string): void;
  finish(labelVocabulary: readonly string[]): Pick<PredictionTable, 'scores' | 'predictions'>;
}

/**
 * Reads a predictions table: labels, sensitive features, and what a model gave each row, either a score in [0, 1]
 * or a decision. Streams the file; memory is a few bytes per row and column.
 *
 * @throws InvalidInputError for a malformed table, both or neither of `score` and `prediction`, a score that is not
 *   in [0, 1], or labels and groups that `makeSampleReader` refuses; StorageError when the file cannot be read
 */
export async function loadPredictions(path: string, columns: Columns): Promise<PredictionTable> {
  const output = makeOutputReader(path, columns);
  const reader = makeSampleReader(path, columns);
  for await (const row of readTable(path, { columns: [...reader.columns, output.column] })) {
    reader.add(row);
    output.add(row.line, row.cells.at(-1)!);
  }
  const samples: Samples = reader.finish();
  return { ...samples, ...output.finish(reader.labelVocabulary) };
}

function makeOutputReader(path: string, columns: Columns): OutputReader {
  const { score, prediction } = columns;
  if (score !== undefined && prediction === undefined) return scoreReader(path, score);
  if (prediction !== undefined && score === undefined) return predictionReader(path, prediction, columns);
  const received = score === undefined ? 'neither' : 'both';
  throw new InvalidInputError(
    `${path}: expected a score column or a prediction column, received ${received} (--score, --prediction)`,
    { path, received },
  );
}

function scoreReader(path: string, column: string): OutputReader {
  const scores = makeNumberColumn(Float64Array);
  return {
    column,
    add(line, cell) {
      const value = parseNumber(cell);
      if (value === null || value < 0 || value > 1) {
        const received =
          value === null ? describeCell(cell) : `a number ${value < 0 ? 'below 0' : 'above 1'}`;
        throw new InvalidInputError(
          `${cellPlace(path, line, column)}: expected a score in [0, 1], received ${received}`,
          { path, line, column },
        );
      }
      scores.push(value);
    },
    finish: () => ({ scores: scores.finish() }),
  };
}

function predictionReader(path: string, name: string, { positiveLabel }: Columns): OutputReader {
  const { column, add } = makeColumnReader(path, name, requireCell);
  return {
    column: name,
    add,
    finish(labels) {
      const where = `${path}, column ${quote(name)}`;
      return {
        predictions: codeLabels(
          column,
          predictionCoding(column.vocabulary, { positiveLabel, labels, where }),
        ),
      };
    },
  };
}
