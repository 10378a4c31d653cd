import { describe, expect, it } from 'vitest';
import { makeTelemetry, type TelemetryOptions } from '../../../functions/lib/telemetry.ts';
import { START } from '../../core/jobs/fixtures.ts';

function make(options: Partial<TelemetryOptions> = {}) {
  const written: string[] = [];
  const telemetry = makeTelemetry({ write: (line) => written.push(line), now: () => START, ...options });
  return { telemetry, written };
}

describe('log', () => {
  it('writes one JSON object a line', () => {
    const { telemetry, written } = make();
    telemetry.log('warn', 'two\nlines', { jobId: 'a-1' });
    expect(written).toHaveLength(1);
    expect(written[0]!.match(/\n/g)).toHaveLength(1);
    expect(JSON.parse(written[0]!)).toEqual({
      level: 'warn',
      time: START.toISOString(),
      message: 'two\nlines',
      jobId: 'a-1',
    });
  });

  it.each([
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
  ] as const)('writes from level %s on', (level, lines) => {
    const { telemetry, written } = make({ level });
    for (const each of ['debug', 'info', 'warn', 'error'] as const) telemetry.log(each, 'x');
    expect(written).toHaveLength(lines);
  });
});

describe('metric', () => {
  it('is in the embedded metric format, for all definitions and for one', () => {
    const { telemetry, written } = make({ stage: 'prod' });
    telemetry.metric('PolicyFailure', 1, { definition: 'weekly' });
    expect(JSON.parse(written[0]!)).toEqual({
      _aws: {
        Timestamp: START.getTime(),
        CloudWatchMetrics: [
          {
            Namespace: 'Counterweight',
            Dimensions: [['Stage'], ['Stage', 'Definition']],
            Metrics: [{ Name: 'PolicyFailure', Unit: 'Count' }],
          },
        ],
      },
      Stage: 'prod',
      Definition: 'weekly',
      PolicyFailure: 1,
    });
  });

  it('names in every dimension set only what it holds', () => {
    const { telemetry, written } = make();
    telemetry.metric('ScheduledAuditFailure', 1);
    expect(JSON.parse(written[0]!)._aws.CloudWatchMetrics[0].Dimensions).toEqual([[]]);
  });

  it('is written whatever the log level', () => {
    const { telemetry, written } = make({ level: 'error' });
    telemetry.metric('PolicyFailure', 0);
    expect(written).toHaveLength(1);
  });
});
