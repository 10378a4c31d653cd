import { describe, expect, it } from 'vitest';
import { checkData } from '../../../core/checks/check-data.ts';
import type { CheckedSet } from '../../../core/checks/sets.ts';
import { makeRandom } from '../../../worker/random.ts';

/** Columns of rows; what a test does not name is drawn. */
interface Columns {
  readonly age: (row: number, label: number) => number;
  readonly income: (row: number, label: number) => number;
}

/** 200 rows of each part with both labels of both groups. */
function partsWith(
  changes: { readonly [part in 'all' | 'tune' | 'select' | 'test']?: Partial<Columns> },
): CheckedSet[] {
  const random = makeRandom(1);
  return (['tune', 'select', 'test'] as const).map((name) => {
    const size = 200;
    const labels = Int32Array.from({ length: size }, (_, row) => row % 2);
    const drawn: Columns = { age: () => 20 + random.integer(50), income: () => random.next() * 1000 };
    const columns = { ...drawn, ...changes.all, ...changes[name] };
    const values = Float64Array.from(
      [...labels].flatMap((label, row) => [columns.age(row, label), columns.income(row, label)]),
    );
    return {
      name,
      isTest: name === 'test',
      samples: {
        size,
        labels,
        sensitiveFeatures: [
          { name: 'sex', groupNames: ['f', 'm'], groups: labels.map((_, row) => (row >> 1) % 2) },
        ],
      },
      images: null,
      table: { kind: 'table', columns: ['age', 'income'], values },
      seen: null,
    };
  });
}

const findingsOf = async (changes: Parameters<typeof partsWith>[0]) => {
  const data = {
    parts: partsWith(changes),
    reference: null,
    isBrief: true,
    withoutGroup: 0,
    mitigated: ['sex'],
  };
  return (await checkData(data)).check.findings;
};

describe('the check of a table', () => {
  it('finds nothing in drawn columns', async () => {
    expect(await findingsOf({})).toEqual([]);
  });

  it('finds a column of one value', async () => {
    const [finding] = await findingsOf({ all: { age: () => 41 } });
    expect(finding).toMatchObject({
      code: 'constant-features',
      severity: 'care',
      reason: '1 feature column of 2 (age) has one value in all 600 rows.',
    });
  });

  it('finds a column in another unit', async () => {
    const [finding] = await findingsOf({ test: { income: (row) => 2000 + row } });
    expect(finding).toMatchObject({ code: 'features-by-parts', severity: 'care' });
    expect(finding!.reason).toMatch(
      /^1 feature column \(income\) separates the external data from the test data/,
    );
  });

  it('finds a copy of the label', async () => {
    const [finding] = await findingsOf({ all: { income: (row, label) => label * 1000 + row } });
    expect(finding).toMatchObject({ code: 'feature-gives-label-away' });
    expect(finding!.reason).toContain('income with an AUC of 1.00');
  });

  it('finds rows copied into the test where a column tells rows apart', async () => {
    // 30 test rows are rows of tune: 15 %
    const shared = { age: (row: number) => 20 + (row % 50), income: (row: number) => row * Math.PI };
    const drawn = makeRandom(2);
    const findings = await findingsOf({
      tune: shared,
      test: {
        age: (row) => (row < 30 ? shared.age(row) : 20 + drawn.integer(50)),
        income: (row) => (row < 30 ? shared.income(row) : drawn.next() * 1000),
      },
    });
    const found = findings.find(({ code }) => code === 'duplicates-across');
    expect(found).toMatchObject({ severity: 'unfit' });
    expect(found!.reason).toMatch(/^30 rows of the test part \(15\.0 %\) are rows with equal features/);
  });

  it('takes equal rows of few values for chance, unless parts share more than they should', async () => {
    const random = makeRandom(3);
    const coarse = { age: () => random.integer(40), income: () => random.integer(40) };
    expect(await findingsOf({ all: coarse })).toEqual([]);
    const copied = { age: (row: number) => row % 40, income: (row: number) => (row * 7) % 37 };
    const codes = (await findingsOf({ all: coarse, tune: copied, test: copied })).map(({ code }) => code);
    expect(codes).toContain('duplicates-across');
  });
});
