import { makeTelemetry } from '../../functions/lib/telemetry.ts';
import { makeOnSchedule } from '../../functions/on-schedule.ts';
import { AUDIT } from '../core/jobs/fixtures.ts';
import { makeReadyDeps } from '../functions/fixtures.ts';

/** A metric as CloudWatch keeps it: each name under each set of dimensions is one of its own. */
export interface WrittenMetric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

interface EmbeddedMetrics {
  readonly _aws?: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
  readonly [member: string]: unknown;
}

/** What CloudWatch makes of a log line; nothing of one without metrics, or whose members are not there. */
function metricsOf(line: string): WrittenMetric[] {
  const content = JSON.parse(line) as EmbeddedMetrics;
  return (content._aws?.CloudWatchMetrics ?? []).flatMap(({ Namespace, Dimensions, Metrics }) =>
    Metrics.filter(({ Name }) => typeof content[Name] === 'number').flatMap(({ Name }) =>
      Dimensions.map((names) => ({
        namespace: Namespace,
        name: Name,
        dimensions: Object.fromEntries(names.map((name) => [name, String(content[name])])),
      })),
    ),
  );
}

/** Every metric that the handlers write, from an audit that breaks its limit and one that cannot run. */
export async function writtenMetrics(stage: string): Promise<WrittenMetric[]> {
  const deps = await makeReadyDeps();
  const lines: string[] = [];
  const telemetry = makeTelemetry({ write: (line) => lines.push(line), now: deps.now, stage });
  const policy = { name: 'ours', rules: [{ metric: 'equalizedOddsDifference', max: 0.1 }] };
  await deps.store.put('definitions/broken.json', { request: AUDIT, every: { days: 1 }, policy });
  await deps.store.put('definitions/malformed.json', {});
  await makeOnSchedule({ ...deps, telemetry })({});
  return lines.flatMap(metricsOf);
}
