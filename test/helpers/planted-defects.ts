import type { Finding } from '../../core/checks/types.ts';
import { MISSING_GROUP } from '../../core/data/types.ts';
import { few, type Ground, half, isFemale, isPositive, isTest, swapped } from './defect-ground.ts';
import type { Row } from './defects.ts';

/** One thing that is wrong, and what must be said of it. */
export interface Defect {
  readonly rows: (on: Ground) => readonly Row[];
  readonly withoutGroup?: number;
  readonly reference?: (on: Ground) => readonly Row[];
  readonly finds: string;
  readonly severity: Finding['severity'];
  /** What the sentence must say. */
  readonly says: RegExp;
}

export const DEFECTS: Readonly<Record<string, Defect>> = {
  'shifted colours of the test part': {
    rows: (on) => on.altered('recoloured', on.clean, isTest),
    finds: 'look-by-parts',
    severity: 'care',
    says: /(red against green|blue against yellow) separates the external data from the test data with an AUC of 0\.[89]/,
  },
  'shifted colours of all': {
    rows: (on) =>
      on.altered('recoloured', on.clean.filter(isTest)).map((row, index) => ({
        ...row,
        split: index % 3 === 0 ? ('test' as const) : ('external' as const),
      })),
    finds: 'shifted-inputs',
    severity: 'care',
    says: /running standard deviations from those of training.*colours, device or preparation differ/,
  },
  'another scanner for one group (blur)': {
    rows: (on) => on.altered('blurred', on.clean, isFemale),
    finds: 'look-by-groups',
    severity: 'care',
    says: /The (sharpness|noise) separates group "female" of sex from group "male"/,
  },
  'another scanner for one label (noise)': {
    rows: (on) => on.altered('noisy', on.clean, isPositive),
    finds: 'look-by-labels',
    severity: 'care',
    says: /(noise|sharpness).* separates label 0 from label 1/,
  },
  'JPEG for one group, PNG for the other': {
    rows: (on) => on.altered('png', on.clean, isFemale),
    finds: 'files-by-groups',
    severity: 'care',
    says: /file format \(.*100\.0 % against 0\.0 %/,
  },
  'copies of test images in the external data': {
    rows: (on) => [...on.clean, ...on.copies(8)],
    finds: 'duplicates-across',
    severity: 'care',
    says: /8 images of the test part \(4\.0 %\) are copies of those of tune or select/,
  },
  'so many that the test is no test': {
    rows: (on) => [...on.clean, ...on.copies(20)],
    finds: 'duplicates-across',
    severity: 'unfit',
    says: /20 images of the test part \(10\.0 %\)/,
  },
  ...Object.fromEntries(
    (['coded anew', 'sized anew', 'mirrored', 'turned'] as const).map((kind) => [
      `test images ${kind} in the external data`,
      {
        rows: (on) => [
          ...on.clean,
          ...on.altered(kind, few(on.clean, 5, isTest)).map(
            (row): Row => ({
              ...row,
              split: 'external',
              subject: `copy of ${row.subject}`,
            }),
          ),
        ],
        finds: 'near-duplicates-across',
        severity: 'care',
        says: /5 images of the test part \(2\.5 %\) are near-duplicates/,
      } satisfies Defect,
    ]),
  ),
  'copies within a part': {
    rows: (on) => [...on.clean, ...on.copies(8, () => ({ split: 'test' }))],
    finds: 'duplicates-within',
    severity: 'care',
    says: /8 images of 408 are copies of others in the same part/,
  },
  'copies with the other label': {
    rows: (on) => [...on.clean, ...on.copies(8, ({ label }) => ({ label: swapped(label) }))],
    finds: 'conflicting-labels',
    severity: 'care',
    says: /16 images .* with another label/,
  },
  'copies in the other group': {
    rows: (on) => [...on.clean, ...on.copies(8, (row) => ({ group: isFemale(row) ? 'male' : 'female' }))],
    finds: 'conflicting-groups',
    severity: 'care',
    says: /16 images .* with another value of sex/,
  },
  'patients in external and test data': {
    rows: (on) => {
      const [external, test] = [on.clean.find((row) => !isTest(row))!, on.clean.find(isTest)!];
      return on.clean.map((row) => (row === test ? { ...row, subject: external.subject } : row));
    },
    finds: 'subject-overlap',
    severity: 'unfit',
    says: /1 subject is in both the (tune|select) and the test part/,
  },
  'a patient of two groups': {
    rows: (on) => {
      const places = new Map<string, number>();
      const pairs = on.clean.map((row) => {
        const kind = `${row.split} ${row.group}`;
        places.set(kind, (places.get(kind) ?? 0) + 1);
        return { ...row, subject: `${kind} ${(places.get(kind)! - 1) >> 1}` };
      });
      const [first] = pairs;
      return pairs.map((row) => (row === first ? { ...row, group: isFemale(row) ? 'male' : 'female' } : row));
    },
    finds: 'subject-groups',
    severity: 'care',
    says: /1 subject of \d+ with more than one row has more than one value of sex/,
  },
  'a missing cell': {
    rows: (on) => on.clean.filter((row) => isTest(row) || !isFemale(row) || !isPositive(row)),
    finds: 'empty-cell',
    severity: 'unfit',
    says: /In the tune part, 1 cell of sex and label is empty \(rows of "female" with label 1: 0\)/,
  },
  'a missing cell of the test': {
    rows: (on) => on.clean.filter((row) => !isTest(row) || !isFemale(row) || !isPositive(row)),
    finds: 'empty-cell',
    severity: 'care',
    says: /In the test part/,
  },
  'a tiny cell': {
    rows: (on) => {
      const cell = on.clean.filter((row) => !isTest(row) && isFemale(row) && isPositive(row));
      return on.clean.filter((row) => !cell.slice(9).includes(row));
    },
    finds: 'small-cell',
    severity: 'care',
    says: /"female" with label 1: \d\)/,
  },
  'a group of one class': {
    rows: (on) => on.clean.filter((row) => !isFemale(row) || isPositive(row)),
    finds: 'one-class-group',
    severity: 'unfit',
    says: /All 100 rows of group "female" of sex have label 1/,
  },
  'one group': {
    rows: (on) => on.clean.filter(isFemale),
    finds: 'one-group',
    severity: 'unfit',
    says: /one group only among 200 rows/,
  },
  'swapped labels': {
    rows: (on) => on.clean.map((row) => ({ ...row, label: swapped(row.label) })),
    finds: 'swapped-labels',
    severity: 'unfit',
    says: /reverse of what the model says \(AUC 0\.[0-4]/,
  },
  'swapped labels in one group': {
    rows: (on) => on.clean.map((row) => (isFemale(row) ? { ...row, label: swapped(row.label) } : row)),
    finds: 'swapped-labels-in-group',
    severity: 'unfit',
    says: /In group "female" of sex the labels are the reverse/,
  },
  'labels of one group mixed up': {
    rows: (on) =>
      on.clean.map((row, index) => (isFemale(row) ? { ...row, label: (index % 2) as 0 | 1 } : row)),
    finds: 'no-signal-in-group',
    severity: 'care',
    says: /In group "female" of sex the model ranks no better than chance may/,
  },
  'some groups mislabelled': {
    rows: (on) =>
      on
        .dots()
        .map((row, index) =>
          index % 7 === 0 ? { ...row, group: row.group === 'dot' ? 'no dot' : 'dot' } : row,
        ),
    finds: 'mislabelled-groups',
    severity: 'care',
    says: /of 400 rows .* have the features of the other group.*about [4-7]\d look mislabelled/,
  },
  'groups swapped in the test': {
    rows: (on) =>
      on.dots().map((row) => (isTest(row) ? { ...row, group: row.group === 'dot' ? 'no dot' : 'dot' } : row)),
    finds: 'mislabelled-groups',
    severity: 'unfit',
    says: /but not from one to the other \(0\.0/,
  },
  'missing groups': {
    rows: (on) => on.clean.map((row, index) => (index % 9 === 0 ? { ...row, group: MISSING_GROUP } : row)),
    finds: 'missing-groups',
    severity: 'care',
    says: /45 rows \(11\.3 %\) have no value of sex/,
  },
  'missing groups that train nothing': {
    rows: (on) => on.clean,
    withoutGroup: 100,
    finds: 'missing-groups',
    severity: 'care',
    says: /100 rows \(20\.0 %\) have no value of sex/,
  },
  'other shares of labels in the test': {
    rows: (on) => on.clean.filter((row, index) => !isTest(row) || isPositive(row) || index % 3 === 0),
    finds: 'label-shift',
    severity: 'care',
    says: /Positive labels are 50\.0 % of external and 7\d\.\d % of test/,
  },
  'other shares of groups in the test': {
    rows: (on) => on.clean.filter((row, index) => !isTest(row) || isFemale(row) || index % 3 === 0),
    finds: 'group-shift',
    severity: 'care',
    says: /"female" of sex are 50\.0 % of external and 7\d\.\d % of test/,
  },
  'other shares of labels than the reference': {
    rows: (on) => on.clean,
    reference: (on) => on.clean.filter((row, index) => !isPositive(row) || index % 4 === 0),
    finds: 'label-shift',
    severity: 'care',
    says: /Positive labels are 50\.0 % of checked and (19|20)\.\d % of reference/,
  },
  'features that a classifier can tell from those of the reference': {
    rows: (on) => on.clean,
    reference: (on) => on.altered('inverted', half(on.clean)),
    finds: 'features-differ',
    severity: 'care',
    says: /A classifier tells checked from reference by the model's features in (9\d\.\d|100\.0) % of \d+ rows/,
  },
  'scores that lie elsewhere than those of the reference': {
    rows: (on) => on.clean.filter(isPositive),
    reference: (on) => on.clean.filter((row) => !isPositive(row)),
    finds: 'scores-differ',
    severity: 'care',
    says: /scores on reference are lower than on checked in [78]\d\.\d % of pairs/,
  },
  'a group that gives the label away': {
    rows: (on) => on.clean.filter((row, index) => isFemale(row) === isPositive(row) || index % 4 === 0),
    finds: 'group-gives-label-away',
    severity: 'care',
    says: /female 8\d\.\d %, male \d\d\.\d %; Cramér's V 0\.[56]/,
  },
  'blank images': {
    rows: (on) => on.altered('blank', on.clean, (row) => row.image < 12 && few(on.clean, 12).includes(row)),
    finds: 'blank-images',
    severity: 'care',
    says: /12 images of 400 \(3\.0 %\) are blank/,
  },
  'inverted images': {
    rows: (on) => on.altered('inverted', half(on.clean)),
    finds: 'unseen-inputs',
    severity: 'care',
    says: /another kind of input/,
  },
  'a preprocess that is not the model’s': {
    rows: (on) => on.altered('unscaled', half(on.clean)),
    finds: 'unseen-inputs',
    severity: 'unfit',
    says: /Activations are \d{2,}\.\d\d running standard deviations/,
  },
  'another modality': {
    rows: (on) => on.altered('of the chest', half(on.clean)),
    finds: 'unseen-inputs',
    severity: 'unfit',
    says: /Activations are 1\.\d\d running standard deviations.*another kind of input/,
  },
  'a marker that goes with the label': {
    rows: (on) => on.altered('marked', on.clean, isPositive),
    finds: 'patch-gives-labels-away',
    severity: 'care',
    says: /7\d % from the left, \d+ % from the top.*separates label 0 from label 1 with an AUC of (0\.9\d|1\.00)/,
  },
  'a marker that goes with the group': {
    rows: (on) => on.dots(),
    finds: 'patch-gives-groups-away',
    severity: 'care',
    says: /(9|1\d) % from the left, (9|1\d) % from the top.*separates group "dot" of sex/,
  },
};

/** Findings that come from scores, features or activations; the others show without. */
export const NEED_THE_MODEL: ReadonlySet<string> = new Set([
  'shifted-inputs',
  'unseen-inputs',
  'swapped-labels',
  'swapped-labels-in-group',
  'no-signal-in-group',
  'mislabelled-groups',
  'features-differ',
  'scores-differ',
]);
