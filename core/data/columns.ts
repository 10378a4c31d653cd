import * as z from 'zod';
import { InvalidInputError } from '../errors.ts';
import type { SensitiveFeature } from '../fairness/types.ts';
import { cleanText } from './cells.ts';
import { parseWith } from './parse.ts';

/*
 * Whoever sends a request chooses how much an audit holds in memory: each group is some 1.5 kB of a report, and each
 * of its warnings names its feature.
 */
const MAX_NAME = 1000;
const MAX_FEATURES = 50;
const MAX_GROUPS = 10_000;

const name = z.string().transform(cleanText).pipe(z.string().min(1).max(MAX_NAME));

const roles = z.strictObject({
  /** Path of an image, relative to the manifest's folder. */
  image: name.optional(),
  label: name,
  /** The label that means 1; needed unless labels are 0/1 or true/false. */
  positiveLabel: name.optional(),
  sensitiveFeatures: z.array(name).min(1).max(MAX_FEATURES),
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
  const seen = new Set<string>();
  columns.sensitiveFeatures.forEach((feature, index) => {
    if (seen.has(feature)) complain(['sensitiveFeatures', index], 'names a feature twice');
    seen.add(feature);
    if (feature === columns.label) complain(['sensitiveFeatures', index], 'is the label column as well');
  });
  for (const role of ['image', 'score', 'prediction'] as const) {
    if (columns[role] === columns.label) complain([role], 'is the label column as well');
  }
});
export type Columns = z.output<typeof columnsSchema>;

/**
 * Refuses a table before its report is made, which would be too large for whoever reads it.
 *
 * @param where  the table, to begin the message with
 * @throws InvalidInputError
 */
export function assertGroupCount(features: readonly SensitiveFeature[], where: string): void {
  const count = features.reduce((sum, { groupNames }) => sum + groupNames.length, 0);
  if (count <= MAX_GROUPS) return;
  throw new InvalidInputError(
    `${where}: expected at most ${MAX_GROUPS} groups in all sensitive features together, received ${count}`,
    { where, count },
  );
}

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
