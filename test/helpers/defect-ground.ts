import type { Alteration, Pool, Row } from './defects.ts';

export const isTest = ({ split }: Row) => split === 'test';
export const isFemale = ({ group }: Row) => group === 'female';
export const isPositive = ({ label }: Row) => label === 1;
export const few = (rows: readonly Row[], count: number, of: (row: Row) => boolean = () => true) =>
  rows.filter(of).slice(0, count);
/** Every cell of both splits, half of it. */
export const half = (rows: readonly Row[]) => rows.filter((_, index) => index % 2 === 0);

/** Clean rows that are wanted in another look. */
export const ALTERED = (rows: readonly Row[]): Record<Alteration, readonly Row[]> => ({
  recoloured: rows.filter(isTest),
  blurred: rows.filter(isFemale),
  png: rows.filter(isFemale),
  noisy: rows.filter(isPositive),
  'coded anew': few(rows, 5, isTest),
  'sized anew': few(rows, 5, isTest),
  mirrored: few(rows, 5, isTest),
  turned: few(rows, 5, isTest),
  blank: few(rows, 12),
  inverted: half(rows),
  marked: rows.filter(isPositive),
  dotted: half(rows),
  'of the chest': half(rows),
  unscaled: half(rows),
});

export const swapped = (label: 0 | 1): 0 | 1 => (label === 1 ? 0 : 1);

/** What defects are planted in. */
export interface Ground {
  readonly clean: readonly Row[];
  /** Those of the rows that are chosen, in another look. */
  altered(kind: Alteration, rows: readonly Row[], of?: (row: Row) => boolean): Row[];
  /** Some test rows over again as external ones, under another subject. */
  copies(count: number, change?: (row: Row) => Partial<Row>): Row[];
  /** Rows whose group is whether they have a dot in their corner. */
  dots(): Row[];
}

export function groundOf({ clean, altered }: Pool): Ground {
  const inLook = (kind: Alteration, row: Row): Row => ({ ...row, image: altered(kind, row) });
  return {
    clean,
    altered: (kind, rows, of = () => true) => rows.map((row) => (of(row) ? inLook(kind, row) : row)),
    copies: (count, change = () => ({})) =>
      few(clean, count, isTest).map((row) => ({
        ...row,
        split: 'external',
        subject: `copy of ${row.subject}`,
        ...change(row),
      })),
    dots: () =>
      clean.map((row, index) =>
        index % 2 === 0 ? { ...inLook('dotted', row), group: 'dot' } : { ...row, group: 'no dot' },
      ),
  };
}
