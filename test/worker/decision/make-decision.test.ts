import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../core/jobs/run-record.ts';
import { hashOfRun, makeDecision } from '../../../worker/decision/make-decision.ts';
import { FILES, SET } from '../../helpers/decision-samples.ts';
import { IMPROVED_RUN } from '../../helpers/report-samples.ts';

const decide = (
  run: RunRecord = IMPROVED_RUN,
  set: Partial<typeof SET> | { after: null; flips: null } = {},
) => makeDecision({ run, sets: [{ ...SET, ...set }], files: FILES });

describe('makeDecision', () => {
  it('says what was decided, by which candidate and under which hash of the run', () => {
    const { decided, runSha256 } = decide();
    expect(decided).toMatchObject({
      tool: 'counterweight 0.1.0',
      seed: 17,
      candidate: 'bmft-p50-l1',
      auditedOn: 'test',
      isIndependent: true,
      outcome: IMPROVED_RUN.outcome,
    });
    const { outputs: _, environment: __, ...rest } = IMPROVED_RUN;
    const text = `${JSON.stringify(rest, null, 2)}\n`;
    expect(runSha256).toBe(createHash('sha256').update(text).digest('hex'));
  });

  it('has another hash for any change of the run but for its outputs and where it ran', () => {
    const environment = { ...IMPROVED_RUN.environment, node: 'v99' };
    expect(hashOfRun({ ...IMPROVED_RUN, outputs: FILES, environment })).toBe(hashOfRun(IMPROVED_RUN));
    expect(hashOfRun({ ...IMPROVED_RUN, seed: 18 })).not.toBe(hashOfRun(IMPROVED_RUN));
  });

  it('flags that the men lost what made the gap smaller, with the interval of the change', () => {
    const [set] = decide().sets;
    expect(set!.levelDown).toMatchObject([
      {
        sensitiveFeature: 'sex',
        status: 'levelled-down',
        before: expect.closeTo(0.65, 12),
        after: expect.closeTo(0.085, 12),
      },
    ]);
    const loss = set!.levelDown[0]!.losses.find(
      ({ group, figure }) => group === 'male' && figure === 'truePositiveRate',
    )!;
    // 14 of 100 turned down, none up: u = 1/102, d = 15/102
    const half = 1.959964 * Math.sqrt((16 / 102 - (14 / 102) ** 2) / 102);
    expect(loss.interval).toEqual({
      low: expect.closeTo(-14 / 102 - half, 6),
      high: expect.closeTo(-14 / 102 + half, 6),
    });
    expect(loss).toMatchObject({ isBeyondRail: true, isCertain: true });
  });

  it('has neither flips nor flags where no changed model was audited', () => {
    expect(decide(IMPROVED_RUN, { after: null, flips: null }).sets).toEqual([
      { name: 'test', flips: null, levelDown: [] },
    ]);
  });
});
