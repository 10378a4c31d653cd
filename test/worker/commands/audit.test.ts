import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditReport, DisparityName } from '../../../core/fairness/types.ts';
import { expectNoInternals, runCommand } from '../../helpers/cli.ts';
import { type Cells, filesIn, predictionsText, useWorkshop } from '../../helpers/made-files.ts';
import { SMALL_CNN } from '../../helpers/small-cnn.ts';

const folder = useWorkshop();

/*
 *        support  positives  selected  TPR        FPR       PPV
 * f           20         10      8/20  6/10       2/10      6/8
 * m           10          4      5/10  2/4        3/6       2/5
 */
const F: Cells = { group: 'f', tp: 6, fp: 2, tn: 8, fn: 4 };
const M: Cells = { group: 'm', tp: 2, fp: 3, tn: 3, fn: 2 };
const AUDIT = 'audit --predictions scores.csv --label y --score score --sensitive sex';

beforeAll(async () => {
  await writeFile('scores.csv', predictionsText([F, M]));
});

async function auditJson(line: string): Promise<AuditReport> {
  const { exitCode, stdout, leaked } = await runCommand(`${line} --json`);
  expect({ exitCode, leaked }).toEqual({ exitCode: 0, leaked: 0 });
  return JSON.parse(stdout) as AuditReport;
}

/** Rows of a text table by their first cell, each cell under its column's name. */
function tableIn(text: string, firstColumn: string): Record<string, Record<string, string>> {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`${firstColumn} `));
  const [header, ...rows] = lines.slice(start, lines.indexOf('', start)).map((line) => line.split(/\s{2,}/));
  return Object.fromEntries(
    rows.map((cells) => {
      expect(cells).toHaveLength(header!.length);
      return [
        cells[0]!,
        Object.fromEntries(cells.slice(1).map((cell, index) => [header![index + 1]!, cell])),
      ];
    }),
  );
}

describe('counterweight audit, on a predictions table', () => {
  it('measures each group and the gaps between them', async () => {
    const { features, overall, threshold } = await auditJson(AUDIT);
    const [f, m] = features[0]!.groups;
    expect(f).toMatchObject({ group: 'f', support: 20, positives: 10, negatives: 10 });
    expect(f!.rates).toMatchObject({
      selectionRate: { value: 8 / 20, numerator: 8, support: 20 },
      truePositiveRate: { value: 6 / 10, numerator: 6, support: 10 },
      falsePositiveRate: { value: 2 / 10, numerator: 2, support: 10 },
      falseNegativeRate: { value: 4 / 10, numerator: 4, support: 10 },
      positivePredictiveValue: { value: 6 / 8, numerator: 6, support: 8 },
      accuracy: { value: 14 / 20, numerator: 14, support: 20 },
    });
    expect(m).toMatchObject({ group: 'm', support: 10, positives: 4, negatives: 6 });
    expect(overall).toMatchObject({ group: '(all)', support: 30, positives: 14 });
    expect(threshold).toBe(0.5);
    // With two scores only, the ROC curve has one corner: AUC = (TPR + TNR) / 2.
    expect(f!.auc.value).toBeCloseTo((6 / 10 + 8 / 10) / 2, 12);
    expect(m!.auc.value).toBeCloseTo((2 / 4 + 3 / 6) / 2, 12);
    const gaps = {
      demographicParityDifference: 5 / 10 - 8 / 20,
      demographicParityRatio: 8 / 20 / (5 / 10),
      equalOpportunityDifference: 6 / 10 - 2 / 4,
      equalOpportunityRatio: 2 / 4 / (6 / 10),
      equalizedOddsDifference: 3 / 6 - 2 / 10,
      equalizedOddsRatio: 2 / 10 / (3 / 6),
      equalizedOddsMeanDifference: (3 / 6 - 2 / 10 + (6 / 10 - 2 / 4)) / 2,
      bmftEqualizedOdds: Math.abs(2 / 10 - 3 / 6 + (6 / 10 - 2 / 4)) / 2,
    };
    for (const [name, gap] of Object.entries(gaps)) {
      expect(features[0]!.disparities[name as keyof typeof gaps].value, name).toBeCloseTo(gap, 12);
    }
  });

  it('prints the same figures as a table, each under its name', async () => {
    const { exitCode, stdout } = await runCommand(AUDIT);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^30 samples, 14 positive, predicted positive at score >= 0.5\n\n/);
    expect(stdout).toMatch(/^equalizedOddsDifference +0\.3000 .* to /m);
    expect(stdout).toMatch(/^bmftEqualizedOdds +0\.1000( |$)/m);
    expect(tableIn(stdout, 'sex')).toMatchObject({
      f: { support: '20', positive: '10', selected: '0.4000', TPR: '0.6000', FPR: '0.2000', PPV: '0.7500' },
      m: { support: '10', positive: '4', selected: '0.5000', TPR: '0.5000', FPR: '0.5000', PPV: '0.4000' },
      '(all)': { support: '30', accuracy: ((14 + 5) / 30).toFixed(4) },
    });
  });

  it('gives the same rates for decisions as for the scores behind them, but no AUC', async () => {
    const text = predictionsText([F, M]).replaceAll(',yes,', ',1,').replaceAll(',no,', ',0,');
    await writeFile('decisions.csv', text);
    const given = await auditJson(
      'audit --predictions decisions.csv --label y --prediction decision --sensitive sex',
    );
    const scored = await auditJson(AUDIT);
    expect(given.threshold).toBeNull();
    expect(given.overall.auc.value).toBeNull();
    const ofDecisions = Object.entries(given.features[0]!.disparities).filter(
      ([, { value }]) => value !== null,
    );
    expect(ofDecisions.length).toBeGreaterThan(15);
    for (const [name, { value, interval }] of ofDecisions) {
      expect(scored.features[0]!.disparities, name).toMatchObject({ [name]: { value, interval } });
    }
  });

  it('moves the rates with the threshold, which a score equal to it reaches', async () => {
    const at = async (threshold: number) =>
      (await auditJson(`${AUDIT} --threshold ${threshold}`)).overall.rates.selectionRate.numerator;
    expect([await at(0.1), await at(0.11), await at(0.9), await at(0.91)]).toEqual([30, 13, 13, 0]);
  });

  it('audits every sensitive feature that is named', async () => {
    const { features } = await auditJson(AUDIT.replace('sex', 'sex decision'));
    expect(features.map(({ sensitiveFeature }) => sensitiveFeature)).toEqual(['sex', 'decision']);
  });

  it('counts rows without a value as a group of their own, and names what lacks support', async () => {
    await writeFile('missing.csv', `${predictionsText([F, M])}0,0.1,no,\n0,0.9,yes,\n`);
    const { features } = await auditJson(AUDIT.replace('scores.csv', 'missing.csv'));
    expect(features[0]!.groups.map(({ group, support }) => [group, support])).toEqual([
      ['f', 20],
      ['m', 10],
      ['(missing)', 2],
    ]);
    expect(features[0]!.disparities.equalOpportunityDifference).toMatchObject({
      value: null,
      unsupportedGroups: ['(missing)'],
      reason: 'group "(missing)" has no positive labels (support 0 of 2)',
    });
    expect(features[0]!.disparities.equalOpportunityDifference.amongSupported).toBeCloseTo(0.1, 12);
    const { stdout } = await runCommand(AUDIT.replace('scores.csv', 'missing.csv'));
    expect(stdout).toMatch(
      /^equalOpportunityDifference +n\/a \(group "\(missing\)" has no positive labels .*; 0\.1000 without \(missing\)\)$/m,
    );
  });

  it('audits the rows of one split only when asked to', async () => {
    const lines = predictionsText([F, M]).trimEnd().split('\n');
    const text = lines.map((line, row) => `${line},${row === 0 ? 'part' : row % 2 === 0 ? 'even' : 'odd'}`);
    await writeFile('parts.csv', `${text.join('\n')}\n`);
    const line = `${AUDIT.replace('scores.csv', 'parts.csv')} --split-column part --only`;
    expect((await auditJson(`${line} even`)).overall.support).toBe(15);
    expect((await auditJson(`${line} odd`)).overall.support).toBe(15);
  });

  it('sends no control character of a group to the terminal', async () => {
    await writeFile('hostile.csv', predictionsText([F, { ...M, group: '"\u001b[2J\u0007m"' }]));
    const { stdout } = await runCommand(AUDIT.replace('scores.csv', 'hostile.csv'));
    expect(JSON.stringify(stdout)).not.toMatch(/\\u001b|\\u0007/);
  });
});

describe('counterweight audit, of a long table', () => {
  it('shows how far it is on stderr alone', async () => {
    const { stderr } = await runCommand(AUDIT);
    expect(stderr).toMatch(/^read table +\d+\.\d s\naudit +\d+\.\d s\n$/);
  });

  it('stops when it is interrupted, with exit 130 and one sentence', async () => {
    const signal = AbortSignal.abort();
    const { exitCode, stdout, stderr } = await runCommand(`${AUDIT} --out stopped`, { signal });
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 130,
      stdout: '',
      stderr: 'counterweight: stopped; nothing was written\n',
    });
    expect([...(await filesIn('.')).keys()].filter((name) => name.startsWith('stopped'))).toEqual([]);
  });

  it.each([
    ['--manifest labels.csv', '--manifest'],
    ['--positive-class 1', '--positive-class'],
  ])('refuses %s, which would have no effect', async (flags, name) => {
    const { exitCode, stderr } = await runCommand(`${AUDIT} ${flags}`);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 64,
      stderr: `counterweight: ${name}: expected --model as well, received --predictions\n`,
    });
  });
});

describe('counterweight audit --out', () => {
  it('writes the audit that stdout shows and a report, and says where', async () => {
    const { stdout, stderr } = await runCommand(`${AUDIT} --json --out audit`);
    const files = await filesIn('audit');
    expect([...files.keys()]).toEqual(['audit.json', 'report.html']);
    expect(files.get('audit.json')!.toString()).toBe(stdout);
    expect(stderr).toMatch(/s\nreport: audit\/report\.html\n$/);
    const html = files.get('report.html')!.toString();
    expect(html).toContain('scores.csv');
    expect(html).not.toContain(folder.path);
  });

  it('is silent on stderr with --quiet, at the same result', async () => {
    const quiet = await runCommand(`${AUDIT} --json --out quiet --quiet`);
    expect(quiet.stderr).toBe('');
    expect(await filesIn('quiet')).toEqual(await filesIn('audit'));
  });

  it('makes the folders above it', async () => {
    await runCommand(`${AUDIT} --out deep/er/audit`);
    expect([...(await filesIn('deep')).keys()]).toContain('er/audit/audit.json');
  });
});

describe('counterweight audit, of a model', () => {
  const DATA = '--manifest labels.csv --image file --label malignant --sensitive ink --preprocess unit';

  it('gives the rates that the scores of a convolutional network add up to', async () => {
    const { features, overall } = await auditJson(`audit --model ${SMALL_CNN} ${DATA}`);
    expect(overall).toMatchObject({ support: 100, positives: 50 });
    for (const { group, counts, support } of [...features[0]!.groups, overall]) {
      const sum = Object.values(counts).reduce((total, count) => total + count, 0);
      expect(sum, group).toBe(support);
    }
    expect(features[0]!.groups.map(({ group }) => group)).toEqual(['inked', 'plain']);
  });

  it('finds the gap that was put into the made model', async () => {
    const { features } = await auditJson(`audit --model model ${DATA}`);
    const [inked, plain] = features[0]!.groups.map(({ rates }) => rates.falsePositiveRate.value!);
    expect(inked! - plain!).toBeGreaterThan(0.4);
  });

  it('shows its progress on stderr alone, and none with --quiet', async () => {
    const loud = await runCommand(`audit --model model ${DATA} --json`);
    expect(loud.stderr).toMatch(/^audit +\d+\.\d s\n$/);
    const quiet = await runCommand(`audit --model model ${DATA} --json --quiet`);
    expect(quiet).toMatchObject({ stderr: '', stdout: loud.stdout });
  });

  it('names neither folder nor image in what it writes', async () => {
    await runCommand(`audit --model model ${DATA} --out model-audit`);
    const names = (await readFile('labels.csv', 'utf8')).match(/[\w-]+\.png/g)!;
    for (const bytes of (await filesIn('model-audit')).values()) {
      const text = bytes.toString();
      expect([folder.path, ...names].filter((name) => text.includes(name))).toEqual([]);
      expectNoInternals(text);
    }
  });

  it('computes the same on the plain JavaScript backend', async () => {
    const wasm = await auditJson(
      `audit --model model ${DATA} --only test --split-column part --backend wasm`,
    );
    const cpu = await auditJson(`audit --model model ${DATA} --only test --split-column part --backend cpu`);
    // scores are equal but for the rounding of float32
    const { overall, features } = cpu;
    expect([overall, ...features[0]!.groups].map(({ counts }) => counts)).toEqual(
      [wasm.overall, ...wasm.features[0]!.groups].map(({ counts }) => counts),
    );
    for (const [name, { value }] of Object.entries(features[0]!.disparities)) {
      const expected = wasm.features[0]!.disparities[name as DisparityName].value;
      expect(value, name).toEqual(expected === null ? null : expect.closeTo(expected, 5));
    }
  });

  it('stops when it is interrupted, with exit 130 and one sentence', async () => {
    const stop = new AbortController();
    stop.abort();
    const { exitCode, stdout, stderr, leaked } = await runCommand(`audit --model model ${DATA}`, {
      signal: stop.signal,
    });
    expect({ exitCode, stdout, leaked }).toEqual({ exitCode: 130, stdout: '', leaked: 0 });
    expect(stderr).toBe('counterweight: stopped; nothing was written\n');
  });
});

describe('counterweight audit --help', () => {
  it('shows examples and exit codes', async () => {
    const { exitCode, stdout } = await runCommand('audit --help');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/Examples:\n.*\n\s+counterweight audit --predictions scores.csv/);
    expect(stdout).toMatch(/Exit codes: 0 done, 11 policy failed, 12 policy inconclusive, 64 wrong input/);
  });
});
