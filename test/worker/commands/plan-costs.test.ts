import { describe, expect, it } from 'vitest';
import { estimate, SIZES, type Use } from '../../../worker/commands/plan-costs.ts';
import { INSTANCES, PRICES } from '../../../worker/commands/plan-prices.ts';

const NOTHING: Use = {
  runs: 0,
  gpuMinutes: 0,
  images: 0,
  audits: 0,
  auditSeconds: 0,
  cpuMinutes: 0,
  storedGb: 0,
  requests: 0,
  definitions: 0,
  instance: 'g5.xlarge',
  spotShare: 0.8,
  egress: 'endpoints',
};
const HOURS = 730;
const CALLS = 4 * HOURS;

/** Cost of one line. */
const cost = (what: string, use: Partial<Use>) =>
  estimate({ ...NOTHING, ...use }).costs.find((line) => line.what === what)!.usd;
const added = (what: string, use: Partial<Use>) => cost(what, use) - cost(what, {});

describe('estimate', () => {
  it('prices GPU time by machine and by the share that Spot provides', () => {
    const hours = (10 * 30) / 60;
    const disk = (PRICES.disk.usd * SIZES.gpuJob.diskGiB * hours) / HOURS;
    const use = { runs: 10, gpuMinutes: 30, instance: 'g4dn.xlarge' } as const;
    expect(cost('GPU jobs', { ...use, spotShare: 0 })).toBeCloseTo(hours * 0.526 + disk, 10);
    expect(cost('GPU jobs', { ...use, spotShare: 1 })).toBeCloseTo(hours * 0.21 + disk, 10);
    const half = hours * (0.526 + 0.21) * 0.5;
    expect(cost('GPU jobs', { ...use, spotShare: 0.5 })).toBeCloseTo(half + disk, 10);
  });

  it('prices the network by the way that jobs take', () => {
    expect(cost('network, endpoints', {})).toBeCloseTo(6 * HOURS * 0.01, 10);
    expect(cost('network, NAT', { egress: 'nat' })).toBeCloseTo(HOURS * (0.045 + 0.005), 10);
  });

  it('prices the uploads and the reads of images', () => {
    expect(added('S3 requests', { runs: 3, images: 1000 })).toBeCloseTo(
      3 * 1000 * (0.005 / 1000 + 0.0004 / 1000),
      10,
    );
  });

  it('prices the metrics of each scheduled audit beside those of all', () => {
    expect(added('logs, alarms', { definitions: 4 })).toBeCloseTo(4 * 3 * 0.3, 10);
  });

  it('prices the schedule, which calls whether or not anything is due', () => {
    expect(cost('S3 requests', {})).toBeCloseTo(CALLS * (10 * 0.005e-3 + 100 * 0.0004e-3), 10);
    const perCall = 1 * 2 * 0.0000133334 + 0.2e-6 + 1e-6 + 10 * 1e-6;
    expect(cost('API, functions, events', {})).toBeCloseTo(CALLS * perCall, 10);
  });

  it('prices audits by the memory and the time of their function', () => {
    // A GB-second is 0.0000133334; a call, a request of the API and an event about its record follow.
    expect(added('API, functions, events', { audits: 1000, auditSeconds: 5 })).toBeCloseTo(
      1000 * (5 * 2 * 0.0000133334 + 0.2e-6 + 1e-6 + 1e-6),
      10,
    );
  });

  it('costs something even when nobody uses it', () => {
    const paid = estimate(NOTHING).costs.filter(({ usd }) => usd > 0);
    expect(paid.map(({ what }) => what)).toEqual([
      'API, functions, events',
      'S3 requests',
      'keys',
      'network, endpoints',
      'logs, alarms',
      'container images',
    ]);
  });

  it('adds up its lines', () => {
    const { costs, totalUsd } = estimate({ ...NOTHING, runs: 20, gpuMinutes: 30, images: 5000 });
    expect(totalUsd).toBeCloseTo(
      costs.reduce((sum, { usd }) => sum + usd, 0),
      10,
    );
  });

  it.each([
    'runs',
    'gpuMinutes',
    'images',
    'audits',
    'auditSeconds',
    'cpuMinutes',
    'storedGb',
    'requests',
    'definitions',
  ] as const)('costs more with more %s', (name) => {
    const use = { ...NOTHING, runs: 20, gpuMinutes: 30, audits: 500 };
    const [less, more] = [1000, 2000].map((amount) => estimate({ ...use, [name]: amount }).totalUsd);
    expect(more).toBeGreaterThan(less!);
  });

  it('uses every price of the table', () => {
    const instances = Object.keys(INSTANCES) as (keyof typeof INSTANCES)[];
    const plans = [
      estimate(NOTHING),
      ...instances.map((instance) => estimate({ ...NOTHING, instance, egress: 'nat' })),
    ];
    const used = new Set(plans.flatMap(({ costs }) => costs.flatMap(({ prices }) => prices)));
    expect([...used].sort()).toEqual(Object.keys(PRICES).sort());
  });
});
