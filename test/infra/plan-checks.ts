import { describe, expect, it } from 'vitest';
import { SIZES } from '../../worker/commands/plan-costs.ts';
import type { Template } from './template.ts';
import { at, listAt, ofType } from './template.ts';
import { writtenMetrics } from './written-metrics.ts';

/** `counterweight plan` prints a table of its own; it is that of the template. */
export function checkPlan(get: () => Template): void {
  const properties = (id: string) => get().Resources[id]!.Properties;
  const requirements = (id: string) =>
    Object.fromEntries(
      listAt(properties(id), 'ContainerProperties', 'ResourceRequirements').map((entry) => [
        at(entry, 'Type'),
        Number(at(entry, 'Value')),
      ]),
    );
  const seconds = (id: string) => at(properties(id), 'Timeout', 'AttemptDurationSeconds');

  describe('the sizes that `counterweight plan` prints', () => {
    it('of functions are those of the template', () => {
      const found = ofType(get(), 'AWS::Lambda::Function').map(([, { Properties }]) => ({
        name: String(Properties.FunctionName).replace('counterweight-prod-', ''),
        memoryMiB: Properties.MemorySize,
        timeoutSeconds: Properties.Timeout,
      }));
      expect(SIZES.functions).toEqual(found);
    });

    it('of jobs on the GPU are those of definition, machine and queue', () => {
      const { GPU, VCPU, MEMORY } = requirements('GpuJob');
      const [disk] = listAt(properties('GpuTemplate'), 'LaunchTemplateData', 'BlockDeviceMappings');
      expect(SIZES.gpuJob).toEqual({
        gpus: GPU,
        vcpus: VCPU,
        memoryMiB: MEMORY,
        diskGiB: at(disk, 'Ebs', 'VolumeSize'),
        timeoutSeconds: seconds('GpuJob'),
      });
    });

    it('of jobs on the CPU are those of the definition', () => {
      const { VCPU, MEMORY } = requirements('CpuJob');
      expect(SIZES.cpuJob).toEqual({
        vcpus: VCPU,
        memoryMiB: MEMORY,
        diskGiB: at(properties('CpuJob'), 'ContainerProperties', 'EphemeralStorage', 'SizeInGiB'),
        timeoutSeconds: seconds('CpuJob'),
      });
    });

    it('count the keys, the alarms, the endpoints and the calls of the schedule', () => {
      const endpoints = ofType(get(), 'AWS::EC2::VPCEndpoint').filter(
        ([, { Properties }]) => Properties.VpcEndpointType === 'Interface',
      );
      expect(SIZES.endpoints).toBe(endpoints.length);
      expect(SIZES.keys).toBe(ofType(get(), 'AWS::KMS::Key').length);
      // One more comes with Object Lock.
      const alarms = ofType(get(), 'AWS::CloudWatch::Alarm').filter(
        ([, { Condition }]) => Condition === undefined,
      );
      expect(SIZES.alarms).toBe(alarms.length);
      const [, minutes] = /^rate\((\d+) minutes\)$/.exec(String(properties('Schedule').ScheduleExpression))!;
      expect(SIZES.schedulesPerHour).toBe(60 / Number(minutes));
    });

    it('count the metrics that are paid for: each name once, and once for each definition', async () => {
      const written = await writtenMetrics('prod');
      const names = new Set(written.map(({ name }) => name));
      expect(SIZES.ownMetrics).toBe(names.size);
      expect(new Set(written.map(({ dimensions }) => Object.keys(dimensions).join()))).toEqual(
        new Set(['Stage', 'Stage,Definition']),
      );
      const isDetailed = at(properties('HttpApiStage'), 'DefaultRouteSettings', 'DetailedMetricsEnabled');
      expect(isDetailed ?? false).toBe(false); // they are paid for by route
    });
  });
}
