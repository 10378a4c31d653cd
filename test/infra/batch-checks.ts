import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { BatchClient, SubmitJobCommandInput } from '@aws-sdk/client-batch';
import { describe, expect, it } from 'vitest';
import { makeBatchQueue } from '../../core/queue/batch-queue.ts';
import { EXIT_CODES } from '../../worker/commands/exit-codes.ts';
import { ROOT } from './packaging.ts';
import type { Template } from './template.ts';
import { at, listAt, ofType, render, roleStatements } from './template.ts';

/** What the queue asks Batch for; it replaces what the definition says. */
async function submission(): Promise<SubmitJobCommandInput> {
  let input: SubmitJobCommandInput | null = null;
  const client = {
    send: async (command: { input: SubmitJobCommandInput }) => {
      input = command.input;
      return { jobId: 'x' };
    },
  };
  const queue = makeBatchQueue(client as unknown as BatchClient, { queueArn: 'q', jobDefinition: 'd' });
  await queue.submit({ jobId: 'x', task: 'job', attempts: 5, timeoutSeconds: 60 });
  return input!;
}

/** Variables that the container's process reads, as its source spells them. */
function readByWorker(): string[] {
  const source = readFileSync(path.join(ROOT, 'worker/container/environment.ts'), 'utf8');
  return [...source.matchAll(/^ {4}([A-Z][A-Z0-9_]+): /gm)].map(([, name]) => name!);
}

/** As CloudFormation spells the names of the API. */
function capitalised(entry: object): object {
  return Object.fromEntries(
    Object.entries(entry).map(([name, value]) => [name[0]!.toUpperCase() + name.slice(1), value]),
  );
}

export function checkBatch(get: () => Template): void {
  const properties = (id: string) => get().Resources[id]!.Properties;
  const compute = (id: string, name: string) => at(properties(id), 'ComputeResources', name);

  describe('the GPU queue', () => {
    it('asks for Spot first and for on-demand machines when Spot has none', () => {
      const order = listAt(properties('GpuQueue'), 'ComputeEnvironmentOrder');
      expect(order.map((entry) => [at(entry, 'Order'), render(at(entry, 'ComputeEnvironment'))])).toEqual([
        [1, '{GpuSpot}'],
        [2, '{GpuOnDemand}'],
      ]);
      expect(compute('GpuSpot', 'Type')).toBe('SPOT');
      expect(compute('GpuOnDemand', 'Type')).toBe('EC2');
    });

    it('starts single-GPU machines of three families, on AL2023, and none while idle', () => {
      for (const id of ['GpuSpot', 'GpuOnDemand']) {
        const types = listAt(properties(id), 'ComputeResources', 'InstanceTypes').map(String);
        expect([...new Set(types.map((type) => type.split('.')[0]))]).toEqual(['g4dn', 'g5', 'g6']);
        expect(types.every((type) => /\.2?xlarge$/.test(type))).toBe(true);
        expect(compute(id, 'MinvCpus')).toBe(0);
        expect(compute(id, 'Ec2Configuration')).toEqual([{ ImageType: 'ECS_AL2023_NVIDIA' }]);
        expect(render(compute(id, 'LaunchTemplate'))).toContain('GpuTemplate');
      }
    });

    it('starts them with an encrypted disk and IMDSv2', () => {
      const data = at(properties('GpuTemplate'), 'LaunchTemplateData');
      const disks = listAt(data, 'BlockDeviceMappings');
      expect(disks.map((disk) => [at(disk, 'Ebs', 'Encrypted'), at(disk, 'Ebs', 'VolumeSize')])).toEqual([
        [true, 100],
      ]);
      expect(at(data, 'MetadataOptions')).toMatchObject({
        HttpTokens: 'required',
        HttpPutResponseHopLimit: 1,
      });
    });
  });

  describe('the CPU queue', () => {
    it('runs on Fargate', () => {
      const order = listAt(properties('CpuQueue'), 'ComputeEnvironmentOrder');
      expect(order.map((entry) => render(at(entry, 'ComputeEnvironment')))).toEqual(['{CpuFargate}']);
      expect(compute('CpuFargate', 'Type')).toBe('FARGATE');
    });
  });

  describe('queues', () => {
    it('cancel a job that can never start, so that it does not hold up the others', () => {
      for (const [id, { Properties }] of ofType(get(), 'AWS::Batch::JobQueue')) {
        const reasons = listAt(Properties, 'JobStateTimeLimitActions').map((action) => at(action, 'Reason'));
        expect(reasons, id).toEqual([
          'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY',
          'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE',
          'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT',
        ]);
      }
    });
  });

  describe.each(['GpuJob', 'CpuJob'])('job definition %s', (id) => {
    it('tries again after exit code 75 and a lost host, and gives up on all else', () => {
      expect(at(properties(id), 'RetryStrategy')).toEqual({
        Attempts: 5,
        EvaluateOnExit: [
          { Action: 'RETRY', OnExitCode: String(EXIT_CODES.STORAGE) },
          { Action: 'RETRY', OnStatusReason: 'Host EC2*' },
          { Action: 'EXIT', OnReason: '*' },
        ],
      });
    });

    it('says the same of retries as each submission does', async () => {
      const { retryStrategy } = await submission();
      expect(retryStrategy!.evaluateOnExit!.map(capitalised)).toEqual(
        listAt(properties(id), 'RetryStrategy', 'EvaluateOnExit'),
      );
    });

    it('runs the worker with its two roles, logs and tags', () => {
      const container = at(properties(id), 'ContainerProperties');
      expect(at(container, 'Command')).toEqual(['node', 'dist/main.js']);
      expect(at(container, 'LinuxParameters')).toEqual({ InitProcessEnabled: true });
      expect(render(at(container, 'JobRoleArn'))).toBe('{JobRole.Arn}');
      expect(render(at(container, 'ExecutionRoleArn'))).toBe('{JobExecutionRole.Arn}');
      expect(render(at(container, 'LogConfiguration', 'Options', 'awslogs-group'))).toBe('{JobLogs}');
      expect(at(properties(id), 'PropagateTags')).toBe(true);
      expect(JSON.stringify(container)).not.toMatch(/"Privileged":true|"Secrets"/);
    });

    it('says whether the work needs the GPU that is paid for', () => {
      const told = listAt(properties(id), 'ContainerProperties', 'Environment').map((entry) => [
        at(entry, 'Name'),
        at(entry, 'Value'),
      ]);
      const gpus = listAt(properties(id), 'ContainerProperties', 'ResourceRequirements').filter(
        (entry) => at(entry, 'Type') === 'GPU',
      );
      expect(Object.fromEntries(told).REQUIRE_GPU).toBe(String(gpus.length));
    });

    it('says with each submission all that the worker reads, and nothing else', async () => {
      const { containerOverrides } = await submission();
      const given = [
        ...listAt(properties(id), 'ContainerProperties', 'Environment').map((entry) => at(entry, 'Name')),
        ...containerOverrides!.environment!.map(({ name }) => name),
      ];
      // Set by Batch, for tests, for a store that is a folder, or for jobs side by side on one machine.
      const others = /^(?:AWS_BATCH_\w+|AWS_ENDPOINT_\w+|STORE_ROOT|THREADS)$/;
      expect(given.sort()).toEqual(
        readByWorker()
          .filter((name) => !others.test(name))
          .sort(),
      );
    });

    it('takes its image from a parameter, or from the repository of the stack', () => {
      const kind = id.slice(0, 3);
      expect(JSON.stringify(at(properties(id), 'ContainerProperties'))).toContain(
        `"Image":{"Fn::If":["Has${kind}Image",{"Ref":"${kind}Image"},` +
          `{"Fn::Sub":"\${ImageRepository.RepositoryUri}:${kind.toLowerCase()}-0.1.0"}]}`,
      );
    });
  });

  describe('the network', () => {
    it('lets nothing in from outside', () => {
      const sources = ofType(get(), 'AWS::EC2::SecurityGroup').flatMap(([id, { Properties }]) =>
        listAt(Properties, 'SecurityGroupIngress').map((rule) => [
          id,
          render(at(rule, 'SourceSecurityGroupId')),
          at(rule, 'CidrIp'),
        ]),
      );
      expect(sources).toEqual([['EndpointGroup', '{JobGroup.GroupId}', undefined]]);
      expect(ofType(get(), 'AWS::EC2::SecurityGroupIngress')).toEqual([]);
    });

    it('gives no machine a public address', () => {
      for (const [id, { Properties }] of ofType(get(), 'AWS::EC2::Subnet')) {
        expect(Properties.MapPublicIpOnLaunch, id).toBe(false);
      }
      const cpu = at(properties('CpuJob'), 'ContainerProperties', 'NetworkConfiguration');
      expect(at(cpu, 'AssignPublicIp')).toBe('DISABLED');
      for (const id of ['GpuSpot', 'GpuOnDemand', 'CpuFargate']) {
        const subnets = listAt(properties(id), 'ComputeResources', 'Subnets').map(render);
        expect(subnets, id).toEqual(['{PrivateSubnetA}', '{PrivateSubnetB}']);
      }
    });

    it('reaches our bucket and the image layers of S3, whatever credentials a job holds', () => {
      const endpoint = properties('StorageEndpoint');
      expect(endpoint.VpcEndpointType).toBe('Gateway');
      const reached = listAt(endpoint, 'PolicyDocument', 'Statement').flatMap((statement) =>
        listAt(statement, 'Resource').map(render),
      );
      expect(reached).toEqual([
        '{DataBucket.Arn}',
        '{DataBucket.Arn}/*',
        'arn:{AWS::Partition}:s3:::prod-{AWS::Region}-starport-layer-bucket/*',
      ]);
    });

    it('lets through what a job may do to the bucket, and no more', () => {
      const [data] = listAt(properties('StorageEndpoint'), 'PolicyDocument', 'Statement');
      const ofJobs = roleStatements(get())
        .filter(({ owner }) => owner === 'JobRole')
        .flatMap(({ actions }) => actions)
        .filter((action) => action.startsWith('s3:'));
      expect(listAt(data, 'Action').map(String).sort()).toEqual([...new Set(ofJobs)].sort());
    });

    it('has either endpoints or a gateway to the internet, by parameter', () => {
      const conditions = (type: string) => ofType(get(), type).map(([, { Condition }]) => Condition);
      const endpoints = ofType(get(), 'AWS::EC2::VPCEndpoint').filter(
        ([, { Properties }]) => Properties.VpcEndpointType === 'Interface',
      );
      expect(new Set(endpoints.map(([, { Condition }]) => Condition))).toEqual(new Set(['HasEndpoints']));
      for (const type of ['InternetGateway', 'NatGateway', 'EIP', 'Route']) {
        expect(new Set(conditions(`AWS::EC2::${type}`)), type).toEqual(new Set(['HasNat']));
      }
    });
  });
}
