import { InvalidInputError } from '../../errors.ts';
import { cleanText, quote } from '../cells.ts';

/** Columns that a message lists. */
const MAX_LISTED = 20;

/**
 * Places of the columns asked for among those of a table.
 *
 * @param names  of the table's columns
 * @throws InvalidInputError when a name occurs twice, or one that is asked for does not occur
 */
export function findColumns(path: string, names: readonly string[], asked: readonly string[]): number[] {
  const clean = names.map(cleanText);
  const twice = clean.find((name, index) => name !== '' && clean.indexOf(name) < index);
  if (twice !== undefined) {
    throw new InvalidInputError(`${path}: expected distinct column names, received ${quote(twice)} twice`, {
      path,
      column: twice,
    });
  }
  return asked.map((column) => {
    const index = clean.indexOf(cleanText(column));
    if (index < 0) throw missingColumn(path, column, clean);
    return index;
  });
}

export function missingColumn(path: string, column: string, names: readonly string[]): InvalidInputError {
  const listed = names.slice(0, MAX_LISTED).map(quote).join(', ');
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  const hint = names.length === 1 && /[;\t|]/.test(names[0]!) ? ' (cells must be separated by commas)' : '';
  return new InvalidInputError(
    `${path}: expected a column ${quote(column)}, received the columns ${listed}${more}${hint}`,
    { path, column, received: names },
  );
}
