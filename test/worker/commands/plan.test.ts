import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../core/errors.ts';
import type { Console } from '../../../worker/commands/console.ts';
import { addPlanCommand, SIZES } from '../../../worker/commands/plan.ts';
import { INSTANCES, PRICES } from '../../../worker/commands/plan-prices.ts';
import { NO_PROGRESS } from '../../../worker/progress.ts';

/** Runs `counterweight plan …` in this process and returns what it prints. */
async function plan(line = ''): Promise<string> {
  const printed: string[] = [];
  const console: Console = {
    print: (text) => printed.push(text),
    note: () => {},
    progress: { ...NO_PROGRESS, clear: () => {} },
    signal: new AbortController().signal,
    exitCode: 0,
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addPlanCommand(program, console);
  const args = ['plan', ...line.split(' ').filter((word) => word !== '')];
  await program.parseAsync(args, { from: 'user' });
  return printed.join('\n');
}

interface Plan {
  readonly tags: Record<string, string>;
  readonly sizes: typeof SIZES;
  readonly assumptions: Record<string, number | string>;
  readonly costs: readonly { what: string; usd: number; prices: readonly (keyof typeof PRICES)[] }[];
  readonly totalUsd: number;
  readonly prices: typeof PRICES;
  readonly note: string;
}
const planJson = async (line = ''): Promise<Plan> => JSON.parse(await plan(`--json ${line}`));
const cost = ({ costs }: Plan, what: string) => costs.find((line) => line.what === what)!.usd;

const NO_USE =
  '--runs 0 --gpu-minutes 0 --images 0 --audits 0 --audit-seconds 0 --cpu-minutes 0 --stored-gb 0 --requests 0';

describe('counterweight plan', () => {
  it('prices GPU time by machine and by the share that Spot provides', async () => {
    const hours = (10 * 30) / 60;
    const disk = (PRICES.disk.usd * SIZES.gpuJob.diskGiB * hours) / 730;
    const line = '--runs 10 --gpu-minutes 30 --instance g4dn.xlarge --spot-share';
    expect(cost(await planJson(`${line} 0`), 'GPU jobs')).toBeCloseTo(hours * 0.526 + disk, 10);
    expect(cost(await planJson(`${line} 1`), 'GPU jobs')).toBeCloseTo(hours * 0.21 + disk, 10);
    expect(cost(await planJson(`${line} 0.5`), 'GPU jobs')).toBeCloseTo(
      hours * (0.526 + 0.21) * 0.5 + disk,
      10,
    );
  });

  it('prices the network by the way that jobs take', async () => {
    const hours = 730;
    expect(cost(await planJson(), 'network, endpoints')).toBeCloseTo(6 * hours * 0.01, 10);
    expect(cost(await planJson('--egress nat'), 'network, NAT')).toBeCloseTo(hours * (0.045 + 0.005), 10);
  });

  it('prices the uploads and the reads of images', async () => {
    const without = await planJson(`${NO_USE} --runs 3`);
    const withImages = await planJson(`${NO_USE} --runs 3 --images 1000`);
    const added = cost(withImages, 'S3 requests') - cost(without, 'S3 requests');
    expect(added).toBeCloseTo(3 * 1000 * (0.005 / 1000 + 0.0004 / 1000), 10);
  });

  it('prices audits by the memory and the time of their function', async () => {
    const plan = await planJson(`${NO_USE} --audits 1000 --audit-seconds 5`);
    const idle = await planJson(NO_USE);
    const added = cost(plan, 'API, functions, events') - cost(idle, 'API, functions, events');
    expect(added).toBeCloseTo(1000 * (5 * 2 * 0.0000133334 + 0.2e-6 + 1e-6), 10);
  });

  it('costs something even when nobody uses it: network, keys, alarms, images and the schedule', async () => {
    const idle = await planJson(NO_USE);
    const paid = idle.costs.filter(({ usd }) => usd > 0).map(({ what }) => what);
    expect(paid).toEqual([
      'API, functions, events',
      'keys',
      'network, endpoints',
      'logs, alarms',
      'container images',
    ]);
  });

  it('adds up its lines', async () => {
    const { costs, totalUsd } = await planJson();
    expect(totalUsd).toBeCloseTo(
      costs.reduce((sum, { usd }) => sum + usd, 0),
      10,
    );
  });

  it.each([
    '--runs',
    '--gpu-minutes',
    '--images',
    '--audits',
    '--audit-seconds',
    '--cpu-minutes',
    '--stored-gb',
    '--requests',
  ])('costs more with more %s', async (flag) => {
    const [less, more] = [await planJson(`${flag} 1000`), await planJson(`${flag} 2000`)];
    expect(more.totalUsd).toBeGreaterThan(less.totalUsd);
  });

  it('states every assumption, tag and size, and the price behind every line', async () => {
    const { tags, sizes, assumptions, costs, prices, note } = await planJson('--owner radiology --runs 7');
    expect(tags).toEqual({
      Project: 'counterweight',
      Stage: 'prod',
      Owner: 'radiology',
      ManagedBy: 'serverless',
    });
    expect(sizes).toEqual(SIZES);
    expect(assumptions).toMatchObject({ runs: 7, images: 5000, instance: 'g5.xlarge', hoursPerMonth: 730 });
    expect(note).toBe('us-east-1, check before relying on it');
    expect(Object.keys(prices)).toEqual(expect.arrayContaining(costs.flatMap((line) => line.prices)));
  });

  it('uses every price of the table', async () => {
    const plans = [];
    for (const instance of Object.keys(INSTANCES))
      plans.push(await planJson(`--instance ${instance} --egress nat`));
    plans.push(await planJson());
    const used = new Set(plans.flatMap(({ costs }) => costs.flatMap(({ prices }) => prices)));
    expect([...used].sort()).toEqual(Object.keys(PRICES).sort());
  });

  it('prints the same for people, in tables', async () => {
    const { totalUsd } = await planJson();
    const text = await plan();
    expect(text).toMatch(/^Project {2,}counterweight$/m);
    expect(text).toMatch(/^create-audit {2,}2048 {2,}29$/m);
    expect(text).toMatch(/^GPU {2,}1 {2,}4 {2,}14000 {2,}100 {2,}43200$/m);
    expect(text).toMatch(/^runs {2,}20$/m);
    expect(text).toContain(`${totalUsd.toFixed(2)}`);
    expect(text).toMatch(/^Prices of 2025-06 to 2026-06, us-east-1, check before relying on it;/m);
  });

  it.each([
    ['--runs -1', '--runs: expected a number of at least 0, received "-1"'],
    ['--images many', '--images: expected a number of at least 0, received "many"'],
    ['--stored-gb Infinity', '--stored-gb: expected a number of at least 0, received "Infinity"'],
    ['--spot-share 1.1', '--spot-share: expected a number from 0 to 1, received "1.1"'],
    ['--spot-share half', '--spot-share: expected a number from 0 to 1, received "half"'],
  ])('refuses %s in words', async (line, says) => {
    const refused = plan(line);
    await expect(refused).rejects.toThrow(InvalidInputError);
    await expect(refused).rejects.toThrow(says);
  });

  it('offers only machines and ways that it has prices for', async () => {
    await expect(plan('--instance p5.48xlarge')).rejects.toThrow(/Allowed choices are g4dn\.xlarge/);
    await expect(plan('--egress none')).rejects.toThrow(/Allowed choices are endpoints, nat/);
  });
});
