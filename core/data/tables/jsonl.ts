import { InvalidInputError } from '../../errors.ts';
import { cleanText } from '../cells.ts';
import { type Cell, cellPlace } from './batch.ts';
import { missingColumn } from './columns-found.ts';
import { MAX_ROW_BYTES, type Row } from './csv.ts';
import { checkedText, storageError, type TableSource } from './source.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Rows of a JSONL file: one object a line, blank lines skipped. A key that an object lacks is an absent value; one
 * that every object lacks is a missing column.
 *
 * @throws InvalidInputError for a line that is no object, a nested value, or a key that no row has; as `readTable`
 */
export async function* readJsonl(
  path: string,
  source: TableSource,
  columns: readonly string[],
): AsyncGenerator<Row<Cell>> {
  const names = columns.map(cleanText);
  const unseen = new Set(names);
  let first: Json | undefined;
  for await (const { line, object } of readObjects(path, source)) {
    first ??= object;
    const cells = names.map((name) => {
      if (!Object.hasOwn(object, name)) return null;
      unseen.delete(name);
      const value = object[name];
      if (typeof value === 'object' && value !== null) throw nested(cellPlace(path, line, name), value);
      return value as Cell;
    });
    yield { line, cells };
  }
  if (first === undefined) {
    throw new InvalidInputError(`${path}: expected at least one row, received an empty file`, { path });
  }
  for (const name of unseen) throw missingColumn(path, name, Object.keys(first));
}

/** Keys of the first object of a JSONL file; none of an empty one. */
export async function jsonlColumns(path: string, source: TableSource): Promise<readonly string[]> {
  for await (const { object } of readObjects(path, source)) return Object.keys(object);
  return [];
}

async function* readObjects(
  path: string,
  source: TableSource,
): AsyncGenerator<{ readonly line: number; readonly object: Json }> {
  let line = 0;
  for await (const text of readLines(path, source)) {
    line += 1;
    if (text.trim() !== '') yield { line, object: parseObject(path, line, text) };
  }
}

async function* readLines(path: string, source: TableSource): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  let line = 1;
  const checked = (text: string) => {
    if (text.length > MAX_ROW_BYTES)
      throw refusedLine(path, line, `a row of at most ${MAX_ROW_BYTES} characters, received a longer one`);
    return text;
  };
  try {
    for await (const chunk of checkedText(path, source)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop()!;
      for (const text of lines) {
        yield checked(text);
        line += 1;
      }
      checked(rest);
    }
    yield checked(rest);
  } catch (error) {
    throw storageError(path, error);
  } finally {
    source.close();
  }
}

function parseObject(path: string, line: number, text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message repeats a piece of the line.
    const isNaNText = /[:\s](?:NaN|-?Infinity)\b/.test(text);
    const hint = isNaNText ? ' (NaN and Infinity are none: write null)' : '';
    throw refusedLine(path, line, `a JSON object, received text that is no JSON${hint}`);
  }
  if (Array.isArray(value)) throw refusedLine(path, line, `a JSON object a line, received a list`);
  if (typeof value !== 'object' || value === null)
    throw refusedLine(path, line, `a JSON object, received a single value`);
  return value as Json;
}

function nested(place: string, value: object): InvalidInputError {
  const received = Array.isArray(value) ? 'a list' : 'an object';
  return new InvalidInputError(
    `${place}: expected text, a number, true, false or null, received ${received}`,
    {
      place,
    },
  );
}

function refusedLine(path: string, line: number, rule: string): InvalidInputError {
  return new InvalidInputError(`${path}, line ${line}: expected ${rule}`, {
    path,
    line,
  });
}
