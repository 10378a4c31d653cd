import * as z from 'zod';
import { cleanText } from './cells.ts';
import { parseWith } from './parse.ts';

const name = z.string().transform(cleanText).pipe(z.string().min(1));

const roles = z.strictObject({
  /** Path of an image, relative to the manifest's folder. */
  image: name.optional(),
  label: name,
  /** The label that means 1; needed unless labels are 0/1 or true/false. */
  positiveLabel: name.optional(),
  sensitiveFeatures: z.array(name).min(1),
  /** Rows of one subject (a patient) are never split apart. */
  subject: name.optional(),
  split: name.optional(),
  /** Score in [0, 1] that a model gave. */
  score: name.optional(),
  /** Decision that a model gave, spelled as the labels are. */
  prediction: name.optional(),
});

/** Which column of the user's table plays which part. The names are the user's own. */
export const columnsSchema = roles.superRefine((columns, context) => {
  const complain = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  columns.sensitiveFeatures.forEach((feature, index, all) => {
    if (all.indexOf(feature) < index) complain(['sensitiveFeatures', index], 'names a feature twice');
    if (feature === columns.label) complain(['sensitiveFeatures', index], 'is the label column as well');
  });
  for (const role of ['image', 'score', 'prediction'] as const) {
    if (columns[role] === columns.label) complain([role], 'is the label column as well');
  }
});
export type Columns = z.output<typeof columnsSchema>;

/** Any of the roles; the rest may come from elsewhere. */
export const columnChoicesSchema = roles.partial();
/** Columns as a file or the flags give them: any part may come from the other. */
export type ColumnChoices = z.output<typeof columnChoicesSchema>;

/**
 * Columns of the flags over those of the file; a list in the flags replaces the file's list.
 *
 * @throws InvalidInputError when the label or the sensitive features come from neither, or one column has two parts
 */
export function mergeColumns(file: ColumnChoices, flags: ColumnChoices): Columns {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined && value.length > 0);
  return parseWith(columnsSchema, { ...file, ...Object.fromEntries(given) }, 'columns');
}
