import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Samples } from '../../core/data/types.ts';
import { MISSING_GROUP } from '../../core/data/types.ts';
import { DEFAULT_SPLITS } from '../../core/jobs/schema.ts';
import { PRESETS } from '../../worker/bmft/options.ts';
import type { DivideInput } from '../../worker/parts.ts';
import { divide } from '../../worker/parts.ts';
import { makeRandom } from '../../worker/random.ts';
import { memoryInputs } from '../helpers/made-data.ts';

const SELECTION = PRESETS.robust.selection!;
const SPLITS = { external: 'ext', test: ['held'] };

interface Row {
  readonly site?: string;
  readonly label?: number;
  readonly split?: string;
  readonly subject?: string;
}

/** Samples with the groups of the text column `site`, the missing one last. */
function samplesOf(rows: readonly Row[]): Samples {
  const sites = rows.map(({ site = 'a' }) => site);
  const named = [...new Set(sites)].filter((site) => site !== MISSING_GROUP).sort();
  const groupNames = sites.includes(MISSING_GROUP) ? [...named, MISSING_GROUP] : named;
  return {
    size: rows.length,
    labels: Int32Array.from(rows, ({ label = 0 }, row) => (label === 0 ? row % 2 : label)),
    sensitiveFeatures: [
      { name: 'site', groupNames, groups: Int32Array.from(sites, (site) => groupNames.indexOf(site)) },
      { name: 'parity', groupNames: ['even', 'odd'], groups: Int32Array.from(rows, (_, row) => row % 2) },
    ],
    ...(rows.some(({ split }) => split) && { splits: rows.map(({ split = 'ext' }) => split) }),
    ...(rows.some(({ subject }) => subject) && {
      subjects: rows.map(({ subject }, row) => subject ?? `s${row}`),
    }),
  };
}

const divided = (rows: readonly Row[], overrides: Partial<DivideInput> = {}) =>
  divide({
    samples: samplesOf(rows),
    inputs: memoryInputs(new Float32Array(rows.length), [1]),
    sensitiveFeature: 'site',
    splits: rows.some(({ split }) => split) ? SPLITS : null,
    selection: SELECTION,
    random: makeRandom(1),
    ...overrides,
  });

const many = (count: number, row: (place: number) => Row) =>
  Array.from({ length: count }, (_, place) => row(place));
const twoSites = (count: number, extra: (place: number) => Row = () => ({})) =>
  many(count, (place) => ({ site: (place >> 1) % 2 ? 'a' : 'b', ...extra(place) }));

const half = (place: number): Row => ({ split: place < 20 ? 'ext' : 'held' });

describe('divide', () => {
  test('cuts the external rows into two thirds to tune on and one third to select on', () => {
    const { tune, select, use, audited } = divided(twoSites(120));
    expect(tune.rows).toHaveLength(80);
    expect(select!.rows).toHaveLength(40);
    expect([...tune.rows, ...select!.rows].sort((a, b) => a - b)).toEqual(
      many(120, () => ({})).map((_, row) => row),
    );
    expect(use).toMatchObject({ rows: 120, excluded: [], auditedOn: 'select', isIndependent: false });
    expect(audited.map(({ rows, source }) => ({ rows, source }))).toEqual([
      { rows: select!.rows, source: 'part' },
    ]);
  });

  test('counts each part by cell', () => {
    const { use } = divided(twoSites(120));
    expect(use.parts.map(({ name, support }) => [name, support])).toEqual([
      ['tune', 80],
      ['select', 40],
    ]);
    expect(use.parts[1]!.cells).toEqual([
      { group: 'a', label: 0, support: 10 },
      { group: 'a', label: 1, support: 10 },
      { group: 'b', label: 0, support: 10 },
      { group: 'b', label: 1, support: 10 },
    ]);
  });

  test('has no select part under a released preset: everything tunes, and is audited', () => {
    const { tune, select, audited, use } = divided(twoSites(12), { selection: null });
    expect(select).toBeNull();
    expect(tune.rows).toHaveLength(12);
    expect(audited[0].rows).toEqual(tune.rows);
    expect(use).toMatchObject({ auditedOn: 'tune', isIndependent: false });
    expect(use.parts.map(({ name }) => name)).toEqual(['tune']);
  });

  test('audits the test rows alone where there are any', () => {
    const rows = twoSites(40, (place) => ({ split: place < 30 ? 'ext' : 'held' }));
    const { audited, use, tune, select } = divided(rows);
    expect(audited[0].rows).toEqual([30, 31, 32, 33, 34, 35, 36, 37, 38, 39]);
    expect(use).toMatchObject({ auditedOn: 'test', isIndependent: true, excluded: [] });
    expect([...tune.rows, ...select!.rows].every((row) => row < 30)).toBe(true);
  });

  test('counts rows of other splits as excluded', () => {
    const rows = twoSites(40, (place) => ({ split: place < 30 ? 'ext' : place < 35 ? 'held' : 'train' }));
    expect(divided(rows).use.excluded).toEqual([{ reason: 'split is neither "ext" nor "held"', rows: 5 }]);
  });

  test('drops groups that only unused rows are in', () => {
    const rows = [...twoSites(40, half), { site: 'zoo', split: 'train' }];
    const { tune, audited } = divided(rows);
    const { sensitiveFeatures } = audited[0];
    expect(tune.groupNames).toEqual(['a', 'b']);
    expect(sensitiveFeatures[0]!.groupNames).toEqual(['a', 'b']);
    expect(sensitiveFeatures[0]!.groups[40]).toBe(-1);
  });

  test('keeps the names of groups right when one before them is dropped', () => {
    const rows = [{ site: 'aaa', split: 'train' }, ...twoSites(40, half)];
    const { tune } = divided(rows);
    for (const row of tune.rows) expect(tune.groupNames[tune.groups[row]!]).toBe(rows[row]!.site);
  });

  test('keeps rows without a group out of training, and counts them', () => {
    const rows = twoSites(40, (place) => (place < 6 ? { site: MISSING_GROUP } : {}));
    const { tune, select, use } = divided(rows);
    expect(tune.groupNames).toEqual(['a', 'b']);
    expect([...tune.rows, ...select!.rows].filter((row) => row < 6)).toEqual([]);
    // without a test split they are in the audited part, whose cells show them
    expect(use.excluded).toEqual([]);
    const held = use.parts
      .find(({ name }) => name === 'select')!
      .cells.filter(({ group }) => group === MISSING_GROUP);
    expect(held.reduce((sum, { support }) => sum + support, 0)).toBe(6);
  });

  test('says how many rows without a group were kept out of training when another part is audited', () => {
    const rows = twoSites(40, (place) => ({
      split: place < 30 ? 'ext' : 'held',
      ...(place < 6 && { site: MISSING_GROUP }),
    }));
    const { use } = divided(rows);
    expect(use.excluded).toEqual([{ reason: 'no value of site: kept out of training', rows: 6 }]);
  });

  test('keeps rows without a group in the audit of the test part, as a group of their own', () => {
    const rows = twoSites(40, (place) => ({
      split: place < 30 ? 'ext' : 'held',
      ...(place % 10 === 0 && { site: MISSING_GROUP }),
    }));
    const { audited, use } = divided(rows);
    const [{ rows: auditedRows, sensitiveFeatures }] = audited;
    expect(auditedRows).toContain(30);
    expect(sensitiveFeatures[0]!.groupNames).toEqual(['a', 'b', MISSING_GROUP]);
    expect(sensitiveFeatures[0]!.groups[30]).toBe(2);
    expect(use.parts.find(({ name }) => name === 'test')!.cells).toContainEqual({
      group: MISSING_GROUP,
      label: 0,
      support: 1,
    });
  });

  test('keeps rows without a group in the audit where there is no test part too', () => {
    const rows = twoSites(40, (place) => (place % 4 === 0 ? { site: MISSING_GROUP } : {}));
    for (const selection of [SELECTION, null]) {
      const { audited } = divided(rows, { selection });
      expect(audited[0].rows.map((row) => rows[row]!.site)).toContain(MISSING_GROUP);
    }
  });

  test.each([
    ['a test split', (place: number): Row => ({ split: ['ext', 'held', 'train'][place % 3]! })],
    ['no split', (): Row => ({})],
  ])('counts every row once, in a part or as excluded, with %s', (_, split) => {
    const rows = twoSites(60, (place) => ({
      ...split(place),
      ...(place % 7 === 0 && { site: MISSING_GROUP }),
    }));
    for (const selection of [SELECTION, null]) {
      const { use } = divided(rows, { selection });
      const supports = [...use.parts.map(({ support }) => support), ...use.excluded.map((part) => part.rows)];
      expect(supports.reduce((sum, count) => sum + count, 0)).toBe(60);
    }
  });

  test('never has a subject on both sides', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            site: fc.constantFrom('a', 'b', MISSING_GROUP),
            subject: fc.integer({ min: 0, max: 12 }).map((subject) => `p${subject}`),
            label: fc.constantFrom(0, 1),
          }),
          { minLength: 8, maxLength: 60 },
        ),
        fc.integer(),
        (rows, seed) => {
          const { tune, select } = divided(rows, { random: makeRandom(seed) });
          const subjectsOf = (of: readonly number[]) => of.map((row) => rows[row]!.subject);
          const tuned = new Set(subjectsOf(tune.rows));
          expect(subjectsOf(select!.rows).filter((subject) => tuned.has(subject))).toEqual([]);
        },
      ),
      { seed: 1 },
    );
  });

  test('refuses a subject in both external and test data', () => {
    const rows = twoSites(40, (place) => ({
      split: place < 30 ? 'ext' : 'held',
      subject: `p${place === 39 ? 0 : place}`,
    }));
    expect(() => divided(rows)).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        message:
          'subjects: expected none in both external and test data ("held"), received 1; the test would not be independent',
        details: { shared: 1, set: 'held' },
      }),
    );
  });

  test('takes subjects that are in external or in test data alone', () => {
    const rows = twoSites(40, (place) => ({ split: place < 30 ? 'ext' : 'held', subject: `p${place >> 1}` }));
    expect(divided(rows).use.isIndependent).toBe(true);
  });

  test('refuses a split that no row is in', () => {
    const rows = twoSites(8, () => ({ split: 'held' }));
    expect(() => divided(rows)).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        message: 'split "ext": expected rows to tune on, received none among 8',
      }),
    );
  });

  test('refuses one split for tuning and audit', () => {
    const splits = { external: 'ext', test: ['ext'] };
    expect(() => divided(twoSites(8, half), { splits })).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        message: 'split "ext": expected another split to audit on than to tune on, received the same',
      }),
    );
  });

  test('refuses a named test split that no row is in, but does without the one of the default name', () => {
    const rows = twoSites(30, () => ({ split: 'external' }));
    const withTest = (test: readonly string[]) => divided(rows, { splits: { external: 'external', test } });
    expect(() => withTest(['held'])).toThrow(
      'split "held": expected rows to audit on, received none among 30',
    );
    expect(withTest(DEFAULT_SPLITS.test).use.auditedOn).toBe('select');
  });

  test('audits further splits and tables after the first, each with the groups of the external data', () => {
    const rows = twoSites(40, (place) => ({ split: place < 20 ? 'ext' : place < 30 ? 'held' : 'later' }));
    const other = samplesOf(many(6, (place) => ({ site: place < 4 ? 'b' : 'c' })));
    const { audited, use, tune } = divided(rows, {
      splits: { external: 'ext', test: ['held', 'later'] },
      testSets: [{ name: 'clinic', samples: other, inputs: memoryInputs(new Float32Array(6), [1]) }],
    });
    expect(audited.map(({ name, source, rows: own }) => [name, source, own.length])).toEqual([
      ['held', 'split', 10],
      ['later', 'split', 10],
      ['clinic', 'manifest', 6],
    ]);
    // nobody of "a" is in the clinic, and "c" is nowhere else: it must not make an empty cell to tune on
    expect(audited[2]!.sensitiveFeatures[0]!.groupNames).toEqual(['a', 'b', 'c']);
    expect(Array.from(audited[2]!.sensitiveFeatures[0]!.groups)).toEqual([1, 1, 1, 1, 2, 2]);
    expect(audited[2]!.cells.filter(({ group }) => group === 'a')).toEqual([
      { group: 'a', label: 0, support: 0 },
      { group: 'a', label: 1, support: 0 },
    ]);
    expect(tune.groupNames).toEqual(['a', 'b']);
    expect(use.excluded).toEqual([{ reason: 'split "later": a further test set, audited apart', rows: 10 }]);
    expect(use.parts.find(({ name }) => name === 'test')).toMatchObject({ support: 10 });
  });

  test('takes the first table for the test part where there is no test split', () => {
    const samples = samplesOf(twoSites(8));
    const testSets = [{ name: 'clinic', samples, inputs: memoryInputs(new Float32Array(8), [1]) }];
    const { use, audited } = divided(twoSites(40), { testSets });
    expect(use).toMatchObject({ rows: 48, auditedOn: 'test', isIndependent: true });
    expect(audited).toHaveLength(1);
    expect(use.parts.reduce((sum, { support }) => sum + support, 0)).toBe(48);
  });

  test('refuses two sets of one name, and a subject of the external data in any of them', () => {
    const rows = twoSites(40, (place) => ({ ...half(place), subject: `p${place}` }));
    const inputs = memoryInputs(new Float32Array(4), [1]);
    const withSet = (name: string, subject: string) =>
      divided(rows, {
        testSets: [{ name, samples: samplesOf(many(4, () => ({ subject }))), inputs }],
      });
    expect(withSet('clinic', 'q').audited).toHaveLength(2);
    expect(() => withSet('held', 'q')).toThrow('test set "held": expected each name once');
    expect(() => withSet('clinic', 'p3')).toThrow(
      'subjects: expected none in both external and test data ("clinic"), received 1;',
    );
    expect(() => divided(rows, { splits: { external: 'ext', test: ['held', 'later'] } })).toThrow(
      'split "later": expected rows to audit on, received none among 40',
    );
  });

  test('repeats from the same seed and differs from another', () => {
    const rows = twoSites(60);
    const selectOf = (seed: number) => divided(rows, { random: makeRandom(seed) }).select!.rows;
    expect(selectOf(2)).toEqual(selectOf(2));
    expect(selectOf(3)).not.toEqual(selectOf(2));
  });
});
