import * as z from 'zod';
import { InvalidInputError } from '../errors.ts';
import type { SensitiveFeature } from '../fairness/types.ts';
import { cleanText } from './cells.ts';
import { binRuleSchema } from './groups/bins.ts';
import { parseWith } from './parse.ts';

/*
 * Whoever sends a request chooses how much an audit holds in memory: each group is some 1.5 kB of a report, and each
 * of its warnings names its feature.
 */
const MAX_NAME = 1000;
const MAX_FEATURES = 50;
const MAX_GROUPS = 10_000;
const MAX_CLASSES = 100;

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
  /** Several labels that mean 1, all others 0. */
  positiveLabels: z.array(name).min(1).max(MAX_CLASSES).optional(),
  /** Labels are numbers, and those above this one mean 1. */
  labelThreshold: z.number().optional(),
  /** More than two classes, each with the column of its scores; the class of the highest score is predicted. */
  classScores: z.record(name, name).optional(),
  /** More than two classes in the columns of labels and predictions. */
  classes: z.array(name).min(2).max(MAX_CLASSES).optional(),
  /** How much a row counts, 0 or more. */
  weight: name.optional(),
  /** Rows are compared within a stratum as well: department, site. */
  stratum: name.optional(),
  /** Sensitive features that are numbers, and how their values become groups. */
  bins: z.record(name, binRuleSchema).optional(),
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
  for (const role of ['image', 'score', 'prediction', 'weight'] as const) {
    if (columns[role] === columns.label) complain([role], 'is the label column as well');
  }
  for (const feature of Object.keys(columns.bins ?? {})) {
    if (!seen.has(feature)) complain(['bins', feature], 'is none of the sensitive features');
  }
  const codings = (
    ['positiveLabel', 'positiveLabels', 'labelThreshold', 'classScores', 'classes'] as const
  ).filter((coding) => columns[coding] !== undefined);
  if (codings.length > 1) complain([codings[1]!], `is given beside "${codings[0]}", which says otherwise`);
  const classes = Object.keys(columns.classScores ?? {}).length;
  if (columns.classScores && (classes < 2 || classes > MAX_CLASSES)) {
    complain(['classScores'], `must have 2 to ${MAX_CLASSES} classes, received ${classes}`);
  }
});
export type Columns = z.output<typeof columnsSchema>;

/**
 * Refuses a table before its report is made, which would be too large for whoever reads it.
 *
 * @param where  the table, to begin the message with
 * @throws InvalidInputError
 */
export function assertGroupCount(
  features: readonly Pick<SensitiveFeature, 'groupNames'>[],
  where: string,
): void {
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
  const isGiven = (value: unknown) =>
    value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0);
  const given = Object.entries(flags).filter(([, value]) => isGiven(value));
  return parseWith(columnsSchema, { ...file, ...Object.fromEntries(given) }, 'columns');
}
