/*
 * List prices of AWS in us-east-1, in US dollars without tax, free tiers, credits or discounts. They were put together
 * away from AWS's price API, from public pages where `from` is "page" and from memory where it is "memory", so: check
 * before relying on them. https://calculator.aws and the price pages of each service are what counts.
 */

const PRICES_REGION = 'us-east-1';
export const PRICES_NOTE = `${PRICES_REGION}, check before relying on it`;

export interface Price {
  readonly usd: number;
  readonly per: string;
  /** Year and month of which the price was said to be. */
  readonly asOf: string;
  readonly from: 'page' | 'memory';
}

/** Spot prices move by the hour and by the zone; these stand for a usual day. */
export const PRICES = {
  spotG4dnXlarge: { usd: 0.21, per: 'hour', asOf: '2025-06', from: 'memory' },
  spotG5Xlarge: { usd: 0.45, per: 'hour', asOf: '2025-06', from: 'memory' },
  spotG6Xlarge: { usd: 0.35, per: 'hour', asOf: '2025-06', from: 'memory' },
  onDemandG4dnXlarge: { usd: 0.526, per: 'hour', asOf: '2025-06', from: 'memory' },
  onDemandG5Xlarge: { usd: 1.006, per: 'hour', asOf: '2026-06', from: 'page' },
  onDemandG6Xlarge: { usd: 0.8048, per: 'hour', asOf: '2025-06', from: 'memory' },
  disk: { usd: 0.08, per: 'GB-month of gp3', asOf: '2025-06', from: 'memory' },
  fargateCpu: { usd: 0.04048, per: 'vCPU-hour, x86', asOf: '2026-06', from: 'page' },
  fargateMemory: { usd: 0.004445, per: 'GB-hour, x86', asOf: '2026-06', from: 'page' },
  lambdaRequest: { usd: 0.2 / 1e6, per: 'request', asOf: '2026-09', from: 'page' },
  lambdaMemory: { usd: 0.0000133334, per: 'GB-second, arm64', asOf: '2025-06', from: 'memory' },
  apiRequest: { usd: 1 / 1e6, per: 'request, HTTP API', asOf: '2025-06', from: 'memory' },
  event: { usd: 1 / 1e6, per: 'event of S3 through EventBridge', asOf: '2026-03', from: 'page' },
  schedule: { usd: 1 / 1e6, per: 'invocation of Scheduler', asOf: '2026-03', from: 'page' },
  storage: { usd: 0.023, per: 'GB-month, S3 Standard', asOf: '2025-06', from: 'memory' },
  storageWrite: { usd: 0.005 / 1e3, per: 'PUT, POST, LIST', asOf: '2025-06', from: 'memory' },
  storageRead: { usd: 0.0004 / 1e3, per: 'GET', asOf: '2025-06', from: 'memory' },
  key: { usd: 1, per: 'key and month', asOf: '2025-06', from: 'memory' },
  keyRequest: { usd: 0.03 / 1e4, per: 'request', asOf: '2025-06', from: 'memory' },
  endpoint: { usd: 0.01, per: 'hour, endpoint and zone', asOf: '2026-06', from: 'page' },
  nat: { usd: 0.045, per: 'hour', asOf: '2026-06', from: 'page' },
  publicAddress: { usd: 0.005, per: 'hour', asOf: '2025-06', from: 'memory' },
  logs: { usd: 0.5, per: 'GB taken in', asOf: '2026-06', from: 'page' },
  alarm: { usd: 0.1, per: 'alarm and month', asOf: '2025-06', from: 'memory' },
  metric: { usd: 0.3, per: 'own metric and month', asOf: '2025-06', from: 'memory' },
  registry: { usd: 0.1, per: 'GB-month of ECR', asOf: '2025-06', from: 'memory' },
} as const satisfies Record<string, Price>;

export type PriceName = keyof typeof PRICES;

/** The smallest size of each GPU family that the queue may start, with its price names. */
export const INSTANCES = {
  'g4dn.xlarge': { spot: 'spotG4dnXlarge', onDemand: 'onDemandG4dnXlarge' },
  'g5.xlarge': { spot: 'spotG5Xlarge', onDemand: 'onDemandG5Xlarge' },
  'g6.xlarge': { spot: 'spotG6Xlarge', onDemand: 'onDemandG6Xlarge' },
} as const satisfies Record<string, { readonly spot: PriceName; readonly onDemand: PriceName }>;

export type Instance = keyof typeof INSTANCES;
