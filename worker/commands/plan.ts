import type { Command } from 'commander';
import { Option } from 'commander';
import { InvalidInputError } from '../../core/errors.ts';
import type { Console } from './console.ts';
import { type CostLine, estimate, HABITS, SIZES, type Use } from './plan-costs.ts';
import { INSTANCES, PRICES, PRICES_NOTE } from './plan-prices.ts';
import { textTable } from './tables.ts';

interface PlanFlags extends Use {
  readonly stage: string;
  readonly project: string;
  readonly owner: string;
  readonly json?: boolean;
  /** Of every command. */
  readonly quiet?: boolean;
}

const EXAMPLES = `
Examples:
  counterweight plan
  counterweight plan --runs 100 --gpu-minutes 45 --images 20000 --stored-gb 200
  counterweight plan --egress nat --spot-share 0 --json

Exit codes: 0 done, 64 wrong input.`;

export function addPlanCommand(program: Command, console: Console): void {
  const command = program
    .command('plan')
    .summary('show what a deployment on AWS consists of and costs')
    .description(
      `Shows tags, sizes and a monthly cost estimate of the deployment in serverless.yml, from stated assumptions and the price table of this version (${PRICES_NOTE}). Asks AWS nothing.`,
    );
  addUseOptions(command);
  command
    .optionsGroup('Tags:')
    .option('--stage <name>', 'stage of the deployment', 'prod')
    .option('--project <name>', 'value of the tag Project', 'counterweight')
    .option('--owner <name>', 'value of the tag Owner', 'unset')
    .optionsGroup('Output:')
    .option('--json', 'print as JSON')
    .addHelpText('after', EXAMPLES)
    .action(({ json, quiet: _, stage, project, owner, ...use }: PlanFlags) => {
      const tags = { Project: project, Stage: stage, Owner: owner, ManagedBy: 'serverless' };
      const plan = { tags, sizes: SIZES, assumptions: { ...use, ...HABITS }, ...estimate(use) };
      console.print(
        json ? JSON.stringify({ ...plan, prices: PRICES, note: PRICES_NOTE }, null, 2) : planText(plan),
      );
    });
}

function addUseOptions(command: Command): void {
  const amount = (flags: string, description: string, value: number) =>
    new Option(flags, description).default(value).argParser(parseAmount(flags.split(' ')[0]!));
  command
    .optionsGroup('Use, each month:')
    .addOption(amount('--runs <count>', 'mitigations', 20))
    .addOption(
      amount('--gpu-minutes <minutes>', 'GPU time of one mitigation, start of the machine included', 30),
    )
    .addOption(amount('--images <count>', 'images that one mitigation reads', 5000))
    .addOption(amount('--audits <count>', 'audits, by API, upload or schedule', 500))
    .addOption(amount('--audit-seconds <seconds>', 'time of one audit in a function', 3))
    .addOption(amount('--cpu-minutes <minutes>', 'time of all audits that run as jobs on Fargate', 60))
    .addOption(amount('--stored-gb <gigabytes>', 'data, models and results in the bucket', 50))
    .addOption(amount('--requests <count>', 'other requests to the API', 10_000))
    .addOption(amount('--definitions <count>', 'scheduled audits, each with metrics of its own', 3))
    .optionsGroup('Choices of the deployment:')
    .addOption(
      new Option('--instance <type>', 'GPU machine').choices(Object.keys(INSTANCES)).default('g5.xlarge'),
    )
    .addOption(
      new Option('--spot-share <share>', 'share of the GPU time that Spot provides, 0 to 1')
        .default(0.8)
        .argParser(parseShare),
    )
    .addOption(
      new Option('--egress <way>', 'how jobs reach AWS').choices(['endpoints', 'nat']).default('endpoints'),
    );
}

function parseAmount(flag: string): (text: string) => number {
  return (text) => {
    const amount = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isFinite(amount) && amount >= 0) return amount;
    throw new InvalidInputError(`${flag}: expected a number of at least 0, received "${text}"`);
  };
}

function parseShare(text: string): number {
  const share = text.trim() === '' ? Number.NaN : Number(text);
  if (share >= 0 && share <= 1) return share;
  throw new InvalidInputError(`--spot-share: expected a number from 0 to 1, received "${text}"`);
}

interface Plan {
  readonly tags: Readonly<Record<string, string>>;
  readonly assumptions: Readonly<Record<string, string | number>>;
  readonly costs: readonly CostLine[];
  readonly totalUsd: number;
}

function planText({ tags, assumptions, costs, totalUsd }: Plan): string {
  const jobs = [
    ['job', 'GPUs', 'vCPUs', 'MiB', 'disk GiB', 'limit s'],
    ...[SIZES.gpuJob, SIZES.cpuJob].map((job) => [
      'gpus' in job ? 'GPU' : 'CPU',
      'gpus' in job ? String(job.gpus) : '0',
      ...[job.vcpus, job.memoryMiB, job.diskGiB, job.timeoutSeconds].map(String),
    ]),
  ];
  const functions = [
    ['function', 'MiB', 'limit s'],
    ...SIZES.functions.map(({ name, memoryMiB, timeoutSeconds }) => [
      name,
      String(memoryMiB),
      String(timeoutSeconds),
    ]),
  ];
  const prices = [...new Set(costs.flatMap((cost) => cost.prices))].map((name) => PRICES[name]);
  const dates = prices.map(({ asOf }) => asOf).sort();
  const remembered = prices.filter(({ from }) => from === 'memory').length;
  const money = [
    ['cost', 'USD/month'],
    ...costs.map(({ what, usd }) => [what, usd.toFixed(2)]),
    ['total', totalUsd.toFixed(2)],
  ];
  return [
    textTable([['tag', 'value'], ...Object.entries(tags)], 'left'),
    textTable(jobs),
    textTable(functions),
    textTable(
      [['assumption', 'value'], ...Object.entries(assumptions).map(([k, v]) => [k, String(v)])],
      'left',
    ),
    textTable(money),
    `List prices of ${dates[0]} to ${dates.at(-1)}, ${PRICES_NOTE}: ${remembered} of these ${prices.length} are remembered, not read on a page. No free tier, tax or data sent to the internet. --json shows each.`,
  ].join('\n\n');
}
