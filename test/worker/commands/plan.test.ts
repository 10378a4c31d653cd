import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../core/errors.ts';
import type { Console } from '../../../worker/commands/console.ts';
import { addPlanCommand } from '../../../worker/commands/plan.ts';
import { SIZES } from '../../../worker/commands/plan-costs.ts';
import type { PRICES } from '../../../worker/commands/plan-prices.ts';
import { NO_PROGRESS } from '../../../worker/progress.ts';
import { runCommand } from '../../helpers/cli.ts';

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

describe('counterweight plan', () => {
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

  it('takes no flag of the output for an assumption', async () => {
    const { exitCode, stdout } = await runCommand('plan --json --quiet');
    expect(exitCode).toBe(0);
    expect((JSON.parse(stdout) as Plan).assumptions).toEqual((await planJson()).assumptions);
  });

  it('prints the same for people, in tables', async () => {
    const { totalUsd } = await planJson();
    const text = await plan();
    expect(text).toMatch(/^Project {2,}counterweight$/m);
    expect(text).toMatch(/^create-audit {2,}2048 {2,}29$/m);
    expect(text).toMatch(/^GPU {2,}1 {2,}4 {2,}14000 {2,}100 {2,}43200$/m);
    expect(text).toMatch(/^runs {2,}20$/m);
    expect(text).toContain(`${totalUsd.toFixed(2)}`);
    expect(text).toMatch(/^List prices of 2025-06 to 2026-09, us-east-1, check before relying on it: /m);
    const { prices, costs } = await planJson();
    const used = [...new Set(costs.flatMap((line) => line.prices))].map((name) => prices[name]);
    const remembered = used.filter(({ from }) => from === 'memory').length;
    expect(text).toContain(`${remembered} of these ${used.length} are remembered, not read on a page.`);
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
