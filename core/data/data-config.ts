import { dirname, join } from 'node:path';
import * as z from 'zod';
import { type ColumnChoices, columnChoicesSchema } from './columns.ts';
import { parseWith } from './parse.ts';
import { isPreset, type Preprocess, parsePreprocess } from './preprocess.ts';
import { readJson } from './read-json.ts';

const dataConfigSchema = z.strictObject({
  columns: columnChoicesSchema.optional(),
  preprocess: z.unknown().optional(),
});

export interface DataConfig {
  readonly columns: ColumnChoices;
  /** Name of a preset or path of a file, or what such a file holds. */
  readonly preprocess?: string | Preprocess;
}

/**
 * Reads a column config: `{ "columns": {…}, "preprocess": … }`, both parts optional. `preprocess` is an object,
 * a preset's name, or the path of a preprocess file relative to the config's folder.
 *
 * @throws StorageError when the file cannot be read, InvalidInputError naming each wrong field
 */
export async function loadDataConfig(path: string): Promise<DataConfig> {
  const { columns = {}, preprocess } = parseWith(dataConfigSchema, await readJson(path), path);
  if (preprocess === undefined) return { columns };
  if (typeof preprocess !== 'string') return { columns, preprocess: parsePreprocess(preprocess, path) };
  return { columns, preprocess: isPreset(preprocess) ? preprocess : join(dirname(path), preprocess) };
}
