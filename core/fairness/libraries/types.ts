import type { FeatureAudit } from '../types.ts';

/** What the numbers of a library are made of; a feature of an audit is one. */
export type LibraryInput = Pick<FeatureAudit, 'groups' | 'reference' | 'strata'>;

/** Infinity as JSON can hold it, spelled as SageMaker Clarify spells it. */
export type PrintedValue = number | boolean | 'Infinity' | '-Infinity' | null;

/** The same quantity by our definition: null with its reason where it is undefined. */
export interface OurNumber {
  /** Name of a rate or a disparity, and whether it is a difference or a ratio. */
  readonly name: string;
  readonly value: number | null;
  readonly reason?: string;
}

/** One number as a library would print it, beside ours. */
export interface LibraryNumber {
  /** As the library spells it, with the arguments that it was called with. */
  readonly name: string;
  /** The group that it is about, null for a number of all groups. */
  readonly group: string | null;
  /** The group or groups that it is compared with, null where there is no comparison. */
  readonly against: string | null;
  readonly value: PrintedValue;
  /** What the library gives instead of a number; set when `value` is null. */
  readonly reason?: string;
  /** null where an audit has no such number */
  readonly ours: OurNumber | null;
  /** How the conventions differ. */
  readonly note?: string;
}

export interface Library {
  /** Name as its authors write it. */
  readonly title: string;
  /** The version that was run side by side with this; docs/libraries.md. */
  readonly version: string;
  readonly numbers: (input: LibraryInput) => readonly LibraryNumber[];
}
