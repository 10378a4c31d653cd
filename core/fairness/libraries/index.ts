import type { AuditReport, FeatureAudit } from '../types.ts';
import { aequitas } from './aequitas.ts';
import { aif360 } from './aif360.ts';
import { clarify } from './clarify.ts';
import { fairlearn } from './fairlearn.ts';
import { holisticai } from './holisticai.ts';
import { bmft, medfair } from './image-benchmarks.ts';
import { oxonfair } from './oxonfair.ts';
import type { Library, LibraryInput, LibraryNumber } from './types.ts';

/** Libraries whose numbers an audit can print, by the name of the option. */
export const LIBRARIES = {
  fairlearn,
  aif360,
  clarify,
  aequitas,
  oxonfair,
  holisticai,
  bmft,
  medfair,
} as const satisfies Readonly<Record<string, Library>>;
export type LibraryName = keyof typeof LIBRARIES;
export const LIBRARY_NAMES = Object.keys(LIBRARIES) as LibraryName[];

/** Numbers of one sensitive feature under the names of a library. */
interface FeatureNumbers {
  readonly sensitiveFeature: string;
  /** The class that is set against the rest, where labels have more than two. */
  readonly label?: string;
  readonly numbers: readonly LibraryNumber[];
}

/** An audit under the names and conventions of a library, ours beside each. */
export interface LibraryReport {
  readonly library: LibraryName;
  readonly title: string;
  readonly version: string;
  readonly features: readonly FeatureNumbers[];
}

/**
 * Every number that a library would print for the rows of an audit.
 *
 * @param numbersOf  those of one feature; by default all that the library has
 */
export function numbersAs(
  library: LibraryName,
  report: Pick<AuditReport, 'features' | 'classes'>,
  numbersOf: (feature: FeatureAudit) => readonly LibraryNumber[] = (feature) =>
    defaultNumbers(library, feature),
): LibraryReport {
  const { title, version }: Library = LIBRARIES[library];
  const of = (features: readonly FeatureAudit[], label?: string): FeatureNumbers[] =>
    features.map((feature) => ({
      sensitiveFeature: feature.sensitiveFeature,
      ...(label !== undefined && { label }),
      numbers: numbersOf(feature),
    }));
  const features =
    report.classes === undefined
      ? of(report.features)
      : report.classes.flatMap(({ label, features: ofClass }) => of(ofClass, label));
  return { library, title, version, features };
}

function defaultNumbers(library: LibraryName, input: LibraryInput): readonly LibraryNumber[] {
  return LIBRARIES[library].numbers(input);
}
