export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

/** All that a log line may say besides its message: ids, codes and counts; never a key, a row or a stack. */
interface LogFields {
  readonly requestId?: string;
  readonly jobId?: string;
  readonly definition?: string;
  /** First digits of a key's SHA-256: enough to find the object again, nothing to read. */
  readonly upload?: string;
  readonly route?: string;
  readonly status?: number | string;
  readonly code?: string;
  readonly reason?: string;
  readonly issues?: readonly string[];
  readonly durationMs?: number;
}

type MetricName = 'PolicyFailure' | 'PolicyInconclusive' | 'ScheduledAuditFailure';

export interface Telemetry {
  log(level: LogLevel, message: string, fields?: LogFields): void;
  /** Counts `value` under the name alone, and under the name of a definition as well. */
  metric(name: MetricName, value: number, dimensions?: { readonly definition?: string }): void;
}

export interface TelemetryOptions {
  readonly write: (line: string) => void;
  readonly now: () => Date;
  /** Lines below it are not written. */
  readonly level?: LogLevel;
  /** Keeps the metrics of two deployments in one account apart. */
  readonly stage?: string | undefined;
}

/** Log lines as JSON, and metrics in CloudWatch's embedded metric format among them. */
export function makeTelemetry({ write, now, level = 'info', stage }: TelemetryOptions): Telemetry {
  const print = (content: object) => write(`${JSON.stringify(content)}\n`);
  const common = stage === undefined ? {} : { Stage: stage };
  return {
    log(lineLevel, message, fields = {}) {
      if (LOG_LEVELS.indexOf(lineLevel) < LOG_LEVELS.indexOf(level)) return;
      print({ level: lineLevel, time: now().toISOString(), message, ...fields });
    },
    metric(name, value, { definition } = {}) {
      const own = definition === undefined ? {} : { Definition: definition };
      const names = Object.keys(common);
      const metric = {
        Namespace: 'Counterweight',
        // The first set is what an alarm watches: it adds up all definitions.
        Dimensions: [names, ...Object.keys(own).map((dimension) => [...names, dimension])],
        Metrics: [{ Name: name, Unit: 'Count' }],
      };
      const _aws = { Timestamp: now().getTime(), CloudWatchMetrics: [metric] };
      print({ _aws, ...common, ...own, [name]: value });
    },
  };
}
