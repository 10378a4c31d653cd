import type { Command } from 'commander';
import { Option } from 'commander';
import { InvalidInputError } from '../../core/errors.ts';
import type { Console } from './console.ts';
import type { Instance, PriceName } from './plan-prices.ts';
import { INSTANCES, PRICES, PRICES_NOTE } from './plan-prices.ts';
import { textTable } from './tables.ts';

/** What the deployment in serverless.yml and infra/ is made of; test/infra/plan-sizes.test.ts holds the two together. */
export const SIZES = {
  functions: [
    { name: 'create-audit', memoryMiB: 2048, timeoutSeconds: 29 },
    { name: 'create-job', memoryMiB: 512, timeoutSeconds: 29 },
    { name: 'list-jobs', memoryMiB: 512, timeoutSeconds: 29 },
    { name: 'get-job', memoryMiB: 512, timeoutSeconds: 29 },
    { name: 'cancel-job', memoryMiB: 512, timeoutSeconds: 29 },
    { name: 'create-upload', memoryMiB: 512, timeoutSeconds: 10 },
    { name: 'get-openapi', memoryMiB: 512, timeoutSeconds: 10 },
    { name: 'on-upload', memoryMiB: 1024, timeoutSeconds: 120 },
    { name: 'on-schedule', memoryMiB: 2048, timeoutSeconds: 600 },
    { name: 'on-batch-state', memoryMiB: 512, timeoutSeconds: 60 },
  ],
  gpuJob: { gpus: 1, vcpus: 4, memoryMiB: 14000, diskGiB: 100, timeoutSeconds: 43200 },
  cpuJob: { vcpus: 4, memoryMiB: 16384, diskGiB: 50, timeoutSeconds: 7200 },
  endpoints: 6,
  keys: 2,
  alarms: 16,
  ownMetrics: 4,
  schedulesPerHour: 4,
} as const;

/** Not sizes of the deployment, but what its use comes to; stated in the output. */
const HABITS = {
  hoursPerMonth: 730,
  /** Of one API request in a function of 512 MiB. */
  requestSeconds: 0.2,
  /** status.json while a job runs. */
  statusWritesPerMinute: 20,
  /** S3 Bucket Keys: one request to KMS stands for about a hundred to S3. */
  keyRequestShare: 0.01,
  logKbPerCall: 2,
  logMbPerRun: 1,
  /** The GPU image and the CPU image. */
  imagesGb: 9,
} as const;

interface PlanFlags {
  readonly stage: string;
  readonly project: string;
  readonly owner: string;
  readonly runs: number;
  readonly gpuMinutes: number;
  readonly images: number;
  readonly audits: number;
  readonly auditSeconds: number;
  readonly cpuMinutes: number;
  readonly storedGb: number;
  readonly requests: number;
  readonly instance: Instance;
  readonly spotShare: number;
  readonly egress: 'endpoints' | 'nat';
  readonly json?: boolean;
}

type Use = Omit<PlanFlags, 'stage' | 'project' | 'owner' | 'json'>;

interface CostLine {
  readonly what: string;
  readonly usd: number;
  readonly prices: readonly PriceName[];
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
    .action(({ json, stage, project, owner, ...use }: PlanFlags) => {
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

/** Monthly cost by line and in all. */
function estimate(use: Use): { readonly costs: readonly CostLine[]; readonly totalUsd: number } {
  const costs = [
    gpuCost(use),
    cpuCost(use),
    functionCost(use),
    storageCost(use),
    requestCost(use),
    keyCost(use),
    networkCost(use),
    watchingCost(use),
    registryCost(),
  ];
  return { costs, totalUsd: costs.reduce((sum, { usd }) => sum + usd, 0) };
}

/** A cost line from quantities by price. */
function line(what: string, quantities: Partial<Record<PriceName, number>>): CostLine {
  const entries = Object.entries(quantities) as [PriceName, number][];
  const usd = entries.reduce((sum, [name, quantity]) => sum + PRICES[name].usd * quantity, 0);
  return { what, usd, prices: entries.map(([name]) => name) };
}

function gpuCost({ runs, gpuMinutes, instance, spotShare }: Use): CostLine {
  const hours = (runs * gpuMinutes) / 60;
  const { spot, onDemand } = INSTANCES[instance];
  return line('GPU jobs', {
    [spot]: hours * spotShare,
    [onDemand]: hours * (1 - spotShare),
    disk: (SIZES.gpuJob.diskGiB * hours) / HABITS.hoursPerMonth,
  });
}

function cpuCost({ cpuMinutes }: Use): CostLine {
  const { vcpus, memoryMiB } = SIZES.cpuJob;
  const hours = cpuMinutes / 60;
  return line('CPU jobs', { fargateCpu: vcpus * hours, fargateMemory: (memoryMiB / 1024) * hours });
}

function functionCost({ requests, audits, auditSeconds, runs, images }: Use): CostLine {
  const schedules = SIZES.schedulesPerHour * HABITS.hoursPerMonth;
  const uploads = runs * images;
  // Images call no function: the rule names what can start something.
  const short = requests + schedules;
  const gbSeconds = short * HABITS.requestSeconds * 0.5 + audits * auditSeconds * 2;
  return line('API, functions, events', {
    apiRequest: requests + audits,
    lambdaRequest: short + audits,
    lambdaMemory: gbSeconds,
    event: uploads,
    schedule: schedules,
  });
}

function storageCost({ storedGb }: Use): CostLine {
  return line('S3 storage', { storage: storedGb });
}

/** Each image is uploaded once and read once by its run. */
function storageRequests({ runs, images, gpuMinutes, requests, audits }: Use) {
  const writes = runs * (images + gpuMinutes * HABITS.statusWritesPerMinute) + requests + audits;
  return { writes, reads: runs * images + requests + audits };
}

function requestCost(use: Use): CostLine {
  const { writes, reads } = storageRequests(use);
  return line('S3 requests', { storageWrite: writes, storageRead: reads });
}

function keyCost(use: Use): CostLine {
  const { writes, reads } = storageRequests(use);
  return line('keys', { key: SIZES.keys, keyRequest: (writes + reads) * HABITS.keyRequestShare });
}

function networkCost({ egress }: Use): CostLine {
  const hours = HABITS.hoursPerMonth;
  return egress === 'endpoints'
    ? line('network, endpoints', { endpoint: SIZES.endpoints * hours })
    : line('network, NAT', { nat: hours, publicAddress: hours });
}

function watchingCost({ requests, audits, runs }: Use): CostLine {
  const logGb = ((requests + audits) * HABITS.logKbPerCall) / 1e6 + (runs * HABITS.logMbPerRun) / 1e3;
  return line('logs, alarms', { logs: logGb, alarm: SIZES.alarms, metric: SIZES.ownMetrics });
}

function registryCost(): CostLine {
  return line('container images', { registry: HABITS.imagesGb });
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
  const dates = costs.flatMap(({ prices }) => prices.map((name) => PRICES[name].asOf)).sort();
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
    `Prices of ${dates[0]} to ${dates.at(-1)}, ${PRICES_NOTE}; no free tier, tax or data sent to the internet. --json shows each.`,
  ].join('\n\n');
}
