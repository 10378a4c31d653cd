import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isStarter, JOB_REQUEST_ENDING, UPLOAD_CONFIG, uploadKey } from '../../core/jobs/keys.ts';
import { VARIABLES } from '../../functions/lib/env.ts';
import { ROOT } from './packaging.ts';
import type { Json, Template } from './template.ts';
import { at, listAt, ofType, render, resourceStatements, roleStatements } from './template.ts';

/** Method and path of each function behind the API. */
const ROUTES: Readonly<Record<string, string>> = {
  'create-audit': 'POST /v1/audits',
  'create-job': 'POST /v1/jobs',
  'list-jobs': 'GET /v1/jobs',
  'get-job': 'GET /v1/jobs/{id}',
  'cancel-job': 'DELETE /v1/jobs/{id}',
  'create-upload': 'POST /v1/uploads',
  'get-openapi': 'GET /v1/openapi.json',
};
const ASYNCHRONOUS = ['on-upload', 'on-schedule', 'on-batch-state'];
/** AWS's own names are set by Lambda, or by tests that point at stand-ins. */
const ENVIRONMENT = VARIABLES.filter((name) => !name.startsWith('AWS_')).sort();

/** The function of a handler. */
function functionOf(
  template: Template,
  name: string,
): { id: string; properties: Readonly<Record<string, Json>> } {
  const found = ofType(template, 'AWS::Lambda::Function').find(
    ([, { Properties }]) => Properties.FunctionName === `counterweight-prod-${name}`,
  );
  return { id: found![0], properties: found![1].Properties };
}

/** Endings of models in one file, and of what lies beside them. */
const WEIGHTS = ['.keras', '.h5', '.hdf5', '.onnx', '.onnx.data', '.onnx_data'];

/** Does a key match one of an event pattern's `prefix` and `wildcard` entries? */
function matches(key: string, entries: readonly Json[]): boolean {
  return entries.some((entry) => {
    const wildcard = at(entry, 'wildcard') ?? `${at(entry, 'prefix')}*`;
    const pattern = String(wildcard)
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*');
    return new RegExp(`^${pattern}$`).test(key);
  });
}

export function checkFunctions(get: () => Template): void {
  const names = [...Object.keys(ROUTES), ...ASYNCHRONOUS];

  describe('functions', () => {
    it('are those of the API and of the three kinds of event', () => {
      const found = ofType(get(), 'AWS::Lambda::Function').map(
        ([, { Properties }]) => Properties.FunctionName,
      );
      expect(found).toEqual(names.map((name) => `counterweight-prod-${name}`));
    });

    it.each(names)(
      '%s has a source, a role of its own, Node 22, and in its environment what the code reads and no more',
      (name) => {
        const { id, properties } = functionOf(get(), name);
        expect(existsSync(path.join(ROOT, `functions/${name}.ts`))).toBe(true);
        expect(properties.Handler).toBe(`dist/functions/${name}.handler`);
        expect(properties.Runtime).toBe('nodejs22.x');
        expect(properties.Role).toEqual({ 'Fn::GetAtt': [id.replace('LambdaFunction', 'Role'), 'Arn'] });
        expect(Object.keys(at(properties, 'Environment', 'Variables') as object).sort()).toEqual(ENVIRONMENT);
      },
    );

    it('behind the API end before it gives up after 30 s', () => {
      for (const name of Object.keys(ROUTES)) {
        expect(functionOf(get(), name).properties.Timeout, name).toBeLessThan(30);
      }
    });

    it.each(names)('%s has limits of time and memory, and a place for what fails', (name) => {
      const { id, properties } = functionOf(get(), name);
      expect(properties.Timeout).toBeLessThanOrEqual(600);
      expect(properties.MemorySize).toBeGreaterThanOrEqual(512);
      const configs = ofType(get(), 'AWS::Lambda::EventInvokeConfig').filter(
        ([, { Properties }]) => render(Properties.FunctionName) === `{${id}}`,
      );
      expect(configs).toHaveLength(1);
      expect(configs[0]![1].Properties).toMatchObject({
        MaximumRetryAttempts: 2,
        DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['DeadLetters', 'Arn'] } } },
      });
      const sends = roleStatements(get()).filter(
        ({ owner, actions }) =>
          owner === id.replace('LambdaFunction', 'Role') && actions.includes('sqs:SendMessage'),
      );
      expect(sends.map(({ resources }) => resources)).toEqual([['{DeadLetters.Arn}']]);
    });

    it('that events call have a share of the concurrency that a storm cannot exceed', () => {
      const reserved = names.filter(
        (name) => at(functionOf(get(), name).properties, 'ReservedConcurrentExecutions') !== undefined,
      );
      expect(reserved).toEqual(ASYNCHRONOUS);
      for (const name of reserved) {
        expect(at(functionOf(get(), name).properties, 'ReservedConcurrentExecutions'), name).toBeGreaterThan(
          0,
        );
      }
    });

    it('lose no event that could not be delivered', () => {
      const targets = [
        ...ofType(get(), 'AWS::Events::Rule').flatMap(([, { Properties }]) => listAt(Properties, 'Targets')),
        ...ofType(get(), 'AWS::Scheduler::Schedule').map(([, { Properties }]) => at(Properties, 'Target')),
      ];
      expect(targets).toHaveLength(5);
      for (const target of targets) {
        expect(render(at(target, 'DeadLetterConfig', 'Arn'))).toBe('{DeadLetters.Arn}');
        expect(at(target, 'RetryPolicy', 'MaximumRetryAttempts')).toBeGreaterThan(0);
      }
    });

    it('leave what could not be delivered in a queue that every rule may write to', () => {
      const rules = ofType(get(), 'AWS::Events::Rule').map(
        ([, { Properties }]) =>
          `arn:{AWS::Partition}:events:{AWS::Region}:{AWS::AccountId}:rule/${Properties.Name}`,
      );
      const [statement] = resourceStatements(get()).filter(
        ({ owner, effect }) => owner === 'DeadLettersPolicy' && effect === 'Allow',
      );
      const writers = listAt(statement!.condition, 'ArnEquals', 'aws:SourceArn').map(render);
      expect(writers.sort()).toEqual(rules.sort());
    });

    it('share a queue for what failed that is encrypted and keeps it for 14 days', () => {
      expect(get().Resources.DeadLetters!.Properties).toEqual({
        MessageRetentionPeriod: 14 * 24 * 3600,
        SqsManagedSseEnabled: true,
      });
    });
  });

  describe('logs', () => {
    it('exist for each function, are written under its name only and end some day', () => {
      for (const name of names) {
        const { id, properties } = functionOf(get(), name);
        const group = get().Resources[id.replace('LambdaFunction', 'LogGroup')]!;
        expect(group.Properties.LogGroupName).toBe(`/aws/lambda/${properties.FunctionName}`);
      }
      const groups = ofType(get(), 'AWS::Logs::LogGroup');
      expect(groups).toHaveLength(names.length + 2); // the API's and the jobs'
      for (const [id, { Properties }] of groups) expect(Properties.RetentionInDays, id).toBe(90);
    });
  });

  describe('the API', () => {
    it('lets only signed requests in, on each route', () => {
      const routes = ofType(get(), 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => [
        Properties.RouteKey,
        Properties.AuthorizationType,
      ]);
      expect(routes).toEqual(Object.values(ROUTES).map((route) => [route, 'AWS_IAM']));
      expect(ofType(get(), 'AWS::ApiGatewayV2::Authorizer')).toEqual([]);
    });

    it('slows a client down that loops, and writes an access log without what users typed', () => {
      const { Properties } = get().Resources.HttpApiStage!;
      expect(at(Properties, 'DefaultRouteSettings', 'ThrottlingRateLimit')).toBe(50);
      expect(at(Properties, 'DefaultRouteSettings', 'ThrottlingBurstLimit')).toBe(50);
      const format = String(at(Properties, 'AccessLogSettings', 'Format'));
      expect(Object.keys(JSON.parse(format))).toContain('requestId');
      expect(format).not.toMatch(/querystring|\$context\.path|header|sourceIp|userAgent/i);
    });
  });

  describe('uploads', () => {
    const entries = () => {
      const [, { Properties }] = ofType(get(), 'AWS::Events::Rule').find(
        ([, rule]) => rule.Properties.Name === 'counterweight-prod-on-upload',
      )!;
      return listAt(Properties, 'EventPattern', 'detail', 'object', 'key');
    };

    const named = ['x', 'deep/er/x', 'x.y'].flatMap((name) =>
      [
        '',
        '.json',
        '.CSV',
        '.csv',
        '.csv.gz',
        '.jsonl',
        '.jsonl.gz',
        '.parquet',
        '.bin',
        '.jpg',
        '.png',
        '.pt',
        '.json.png',
        ...WEIGHTS,
      ].map((ending) => `${name}${ending}`),
    );

    it.each([...named, `request${JOB_REQUEST_ENDING}`, UPLOAD_CONFIG, `deep/er/${UPLOAD_CONFIG}`])(
      'named %s call the function if they can start something, and only then',
      (name) => {
        expect(matches(uploadKey('x', name), entries())).toBe(isStarter(name));
      },
    );

    it('are told from objects elsewhere', () => {
      for (const key of ['results/x/table.csv', `jobs/x/${UPLOAD_CONFIG}`, 'jobs/x/status.json']) {
        expect(matches(key, entries()), key).toBe(false);
      }
    });
  });
}
