import type { Instance, PriceName } from './plan-prices.ts';
import { INSTANCES, PRICES } from './plan-prices.ts';

/** What the deployment in serverless.yml and infra/ is made of; test/infra/plan-checks.ts holds the two together. */
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
  /** Names; each is kept once, and once more for each definition of a scheduled audit. */
  ownMetrics: 3,
  schedulesPerHour: 4,
} as const;

/** Not sizes of the deployment, but what its use comes to; stated in the output. */
export const HABITS = {
  hoursPerMonth: 730,
  /** Of one API request in a function of 512 MiB. */
  requestSeconds: 0.2,
  /** Of one call of on-schedule while nothing is due, and its requests to S3. */
  scheduleSeconds: 1,
  scheduleReads: 100,
  scheduleWrites: 10,
  /** status.json while a job runs. */
  statusWritesPerMinute: 20,
  /** S3 Bucket Keys: one request to KMS stands for about a hundred to S3. */
  keyRequestShare: 0.01,
  logKbPerCall: 2,
  logMbPerRun: 1,
  /** The GPU image and the CPU image. */
  imagesGb: 9,
} as const;

/** What a month's use of a deployment is, and how it is made. */
export interface Use {
  readonly runs: number;
  readonly gpuMinutes: number;
  readonly images: number;
  readonly audits: number;
  readonly auditSeconds: number;
  readonly cpuMinutes: number;
  readonly storedGb: number;
  readonly requests: number;
  readonly definitions: number;
  readonly instance: Instance;
  readonly spotShare: number;
  readonly egress: 'endpoints' | 'nat';
}

export interface CostLine {
  readonly what: string;
  readonly usd: number;
  readonly prices: readonly PriceName[];
}

/** Monthly cost by line and in all. */
export function estimate(use: Use): { readonly costs: readonly CostLine[]; readonly totalUsd: number } {
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

/** Calls of on-schedule in a month. */
const SCHEDULED = SIZES.schedulesPerHour * HABITS.hoursPerMonth;

function functionCost(use: Use): CostLine {
  const { requests, audits, auditSeconds } = use;
  const gbSeconds =
    requests * HABITS.requestSeconds * gbOf('get-job') +
    SCHEDULED * HABITS.scheduleSeconds * gbOf('on-schedule') +
    audits * auditSeconds * gbOf('create-audit');
  return line('API, functions, events', {
    apiRequest: requests + audits,
    lambdaRequest: requests + audits + SCHEDULED,
    lambdaMemory: gbSeconds,
    // The bucket tells EventBridge of every object, whether or not a rule wants to know.
    event: storageRequests(use).writes,
    schedule: SCHEDULED,
  });
}

function gbOf(name: (typeof SIZES.functions)[number]['name']): number {
  return SIZES.functions.find((each) => each.name === name)!.memoryMiB / 1024;
}

function storageCost({ storedGb }: Use): CostLine {
  return line('S3 storage', { storage: storedGb });
}

/** Each image is uploaded once and read once by its run. */
function storageRequests({ runs, images, gpuMinutes, requests, audits }: Use) {
  const writes = runs * (images + gpuMinutes * HABITS.statusWritesPerMinute) + requests + audits;
  const reads = runs * images + requests + audits;
  return {
    writes: writes + SCHEDULED * HABITS.scheduleWrites,
    reads: reads + SCHEDULED * HABITS.scheduleReads,
  };
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

function watchingCost({ requests, audits, runs, definitions }: Use): CostLine {
  const logGb = ((requests + audits) * HABITS.logKbPerCall) / 1e6 + (runs * HABITS.logMbPerRun) / 1e3;
  const metrics = SIZES.ownMetrics * (1 + definitions);
  return line('logs, alarms', { logs: logGb, alarm: SIZES.alarms, metric: metrics });
}

function registryCost(): CostLine {
  return line('container images', { registry: HABITS.imagesGb });
}
