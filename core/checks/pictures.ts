import { plural } from '../data/cells.ts';
import type { ImageFacts } from '../data/image-facts.ts';
import { IMAGE_MEASURES, IMAGE_TRACES } from '../data/image-facts.ts';
import { PATCHES, patchesOf } from '../data/image-patches.ts';
import type { Compared, Comparison, Figure, Lot } from './comparisons.ts';
import { compareFigures } from './comparisons.ts';
import { separate } from './separation.ts';
import type { CheckedSet } from './sets.ts';
import { CHECK_LEVEL } from './shifts.ts';
import type { Finding } from './types.ts';
import { isAre, percentText, pText } from './words.ts';

/** Contrast (of 1) below which a picture shows nothing. */
const BLANK_CONTRAST = 0.004;
/** Mean brightness outside of which a picture is all but black or white. */
const [DARKEST, BRIGHTEST] = [0.02, 0.98];
/** Share of pictures without content above which a set is not what it is taken for. */
const MOST_BLANK = 0.1;
/** AUC from which a difference is large: Cohen's d of 0.95 for bell curves. */
const LARGE_AUC = 0.75;
/** The same between labels, which may well show: lesions have colours. */
const TELLING_AUC = 0.9;
/** AUC from which one patch gives a group, or a label, away. */
const TELLING_PATCH = 0.85;
/** Difference of the shares of one trace from which it tells two lots apart. */
const TELLING_TRACE = 0.25;

/** Pictures without content, differences between parts, groups, labels and the reference, traces of how files were made. */
export function pictureFindings(whole: CheckedSet, comparisons: readonly Comparison[]): Finding[] {
  if (whole.images === null) return [];
  return [
    ...blankFindings(whole.images),
    ...traceFindings(comparisons),
    ...measureFindings(comparisons),
    ...patchFindings(comparisons),
  ];
}

/** Has the picture any content? */
export function isBlank({ measures: { contrast, brightness } }: ImageFacts): boolean {
  return contrast < BLANK_CONTRAST || brightness < DARKEST || brightness > BRIGHTEST;
}

function blankFindings(images: readonly ImageFacts[]): Finding[] {
  const blank = images.filter(isBlank).length;
  if (blank === 0) return [];
  const share = blank / images.length;
  return [
    {
      code: 'blank-images',
      severity: share > MOST_BLANK ? 'unfit' : 'care',
      reason: `${plural(blank, 'image')} of ${images.length} (${percentText(share)}) ${isAre(blank)} blank: of one shade, black or white all over.`,
      repair: 'Remove these images or fetch them anew; --list prints their lines.',
    },
  ];
}

const lotImages = ({ set, rows }: Lot): ImageFacts[] | null =>
  set.images === null ? null : rows.map((row) => set.images![row]!);

/** What a comparison means when its two lots look different. */
const MEANING = {
  parts: 'the audit is made on other pictures than the tuning',
  groups: 'a model can tell the groups apart without looking at what matters',
  labels: 'a model can read the label off how the picture was taken',
  reference: 'the set is not a sample of what it is compared with',
} as const;
const REPAIR = {
  parts: 'Draw both parts from the same source.',
  groups:
    'Take the pictures of all groups with the same device and store them alike, or expect this to be what a mask finds.',
  labels: 'Take and store the pictures of both labels alike; find out which clinic or device they come from.',
  reference: 'Take pictures as the reference was taken, or convert both alike.',
} as const;

/** One finding for each comparison: the trace that tells most, and the others by name. */
function traceFindings(comparisons: readonly Comparison[]): Finding[] {
  return comparisons.flatMap(({ kind, names, lots }) => {
    const [first, second] = lots.map(lotImages);
    if (!first || !second) return [];
    const told = IMAGE_TRACES.flatMap((trace) => {
      const textOf = ({ traces }: ImageFacts) => traces[trace];
      const most = mostTelling(first.map(textOf), second.map(textOf));
      return most === null || most.gap < TELLING_TRACE ? [] : [{ trace, ...most }];
    }).sort((a, b) => b.gap - a.gap);
    const [worst, ...others] = told;
    if (worst === undefined) return [];
    const rest = others.length === 0 ? '' : `; so do ${others.map(({ trace }) => trace).join(', ')}`;
    const { trace, value, shares } = worst;
    return [
      {
        code: `files-by-${kind}`,
        severity: 'care' as const,
        reason: `Files tell ${names[0]} from ${names[1]} by their ${trace} (${value}: ${percentText(shares[0])} against ${percentText(shares[1])}${rest}): ${MEANING[kind]}.`,
        repair: REPAIR[kind],
      },
    ];
  });
}

/** The text whose share differs most between two lots. */
function mostTelling(first: readonly string[], second: readonly string[]) {
  const share = (values: readonly string[], value: string) =>
    values.filter((each) => each === value).length / values.length;
  const told = [...new Set([...first, ...second])].map((value) => {
    const shares = [share(first, value), share(second, value)] as const;
    return { value, shares, gap: Math.abs(shares[0] - shares[1]) };
  });
  return told.sort((a, b) => b.gap - a.gap)[0] ?? null;
}

const MEASURES: ReadonlyMap<string, Figure> = new Map(
  IMAGE_MEASURES.map((measure) => [
    measure,
    (lot: Lot) => lotImages(lot)?.map(({ measures }) => measures[measure]) ?? null,
  ]),
);

/** One finding for each comparison: the measure that separates most, and the others by name. */
function measureFindings(comparisons: readonly Comparison[]): Finding[] {
  const compared = compareFigures(comparisons, MEASURES).filter((each) =>
    isLarge(each.comparison.kind === 'labels' ? TELLING_AUC : LARGE_AUC)(each),
  );
  return comparisons.flatMap((comparison) => {
    const own = compared
      .filter((each) => each.comparison === comparison)
      .sort((a, b) => Math.abs(b.auc - 0.5) - Math.abs(a.auc - 0.5));
    const [worst, ...others] = own;
    if (worst === undefined) return [];
    const { kind, names } = comparison;
    const rest = others.length === 0 ? '' : `; so do ${others.map(({ figure }) => figure).join(', ')}`;
    return [
      {
        code: `look-by-${kind}`,
        severity: 'care' as const,
        reason: `The ${worst.figure} separates ${names[0]} from ${names[1]} with an AUC of ${strength(worst.auc)} (${pText(worst.pValue)})${rest}: ${MEANING[kind]}.`,
        repair: REPAIR[kind],
      },
    ];
  });
}

const strength = (auc: number): string => Math.max(auc, 1 - auc).toFixed(2);
const isLarge =
  (bound: number) =>
  ({ auc, pValue }: Pick<Compared, 'auc' | 'pValue'>): boolean =>
    Math.max(auc, 1 - auc) >= bound && pValue < CHECK_LEVEL;

/** Groups and labels that a small patch at a fixed place gives away: rulers, ink, laterality markers, text. */
function patchFindings(comparisons: readonly Comparison[]): Finding[] {
  return comparisons.flatMap(({ kind, names, lots }) => {
    if (kind !== 'groups' && kind !== 'labels') return [];
    const [first, second] = lots.map((lot) => lotImages(lot)?.map(({ spectrum }) => patchesOf(spectrum)));
    if (!first || !second) return [];
    const patches = Array.from({ length: PATCHES ** 2 }, (_, patch) => {
      const shadesOf = (images: readonly Float32Array[]) => images.map((image) => image[patch]!);
      return { patch, ...separate(shadesOf(first), shadesOf(second))! };
    });
    const bonferroni = patches.map((each) => ({
      ...each,
      pValue: Math.min(1, each.pValue * patches.length),
    }));
    const telling = bonferroni
      .filter(isLarge(TELLING_PATCH))
      .sort((a, b) => Math.abs(b.auc - 0.5) - Math.abs(a.auc - 0.5));
    const [worst] = telling;
    if (worst === undefined) return [];
    return [
      {
        code: `patch-gives-${kind}-away`,
        severity: 'care' as const,
        reason: `The shade of one patch of the picture (${placeOf(worst.patch)}; ${telling.length} of ${patches.length} patches) separates ${names[0]} from ${names[1]} with an AUC of ${strength(worst.auc)} (${pText(worst.pValue)}): a mark at that place gives the ${kind === 'labels' ? 'label' : 'group'} away.`,
        repair: `Look at that place in pictures of both; crop or cover rulers, ink, markers and text${kind === 'labels' ? '' : ', unless this mark is the feature itself'}.`,
      },
    ];
  });
}

/** `43 % from the left, 6 % from the top` */
function placeOf(patch: number): string {
  const share = (place: number) => Math.round((100 * (place + 0.5)) / PATCHES);
  return `${share(patch % PATCHES)} % from the left, ${share(Math.floor(patch / PATCHES))} % from the top`;
}
