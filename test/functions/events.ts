import type { HttpEvent } from '../../functions/lib/events.ts';

let requests = 0;

export interface ApiCall {
  readonly method?: string;
  readonly path?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, unless it is a text. */
  readonly body?: unknown;
}

/** An API Gateway HTTP API event, payload format 2.0, behind the IAM authoriser. */
export function apiEvent({
  method = 'POST',
  path = '/v1/jobs',
  params,
  query,
  headers,
  body,
}: ApiCall = {}): HttpEvent {
  requests += 1;
  const event = {
    version: '2.0',
    routeKey: `${method} ${path}`,
    rawPath: path,
    rawQueryString: new URLSearchParams(query).toString(),
    headers: {
      accept: '*/*',
      host: 'x1y2z3.execute-api.eu-west-1.amazonaws.com',
      'user-agent': 'curl/8.5.0',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(params && { pathParameters: params }),
    ...(query && { queryStringParameters: query }),
    requestContext: {
      accountId: '123456789012',
      apiId: 'x1y2z3',
      authorizer: {
        iam: {
          accessKey: 'AKIAIOSFODNN7EXAMPLE',
          accountId: '123456789012',
          callerId: 'AIDACKCEVSQ6C2EXAMPLE',
          cognitoIdentity: null,
          principalOrgId: 'aws:PrincipalOrgID',
          userArn: 'arn:aws:iam::123456789012:user/alice',
          userId: 'AIDACKCEVSQ6C2EXAMPLE',
        },
      },
      domainName: 'x1y2z3.execute-api.eu-west-1.amazonaws.com',
      domainPrefix: 'x1y2z3',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '198.51.100.7', userAgent: 'curl/8.5.0' },
      requestId: `JKJaXmPLvHcESHA${requests}=`,
      routeKey: `${method} ${path}`,
      stage: '$default',
      time: '01/Mar/2026:05:00:00 +0000',
      timeEpoch: 1772341200000,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    isBase64Encoded: false,
  };
  return event;
}

/** An event straight from the bucket; keys are form-encoded in it. */
export function s3Notification(...keys: readonly string[]): unknown {
  return {
    Records: keys.map((key, index) => ({
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      awsRegion: 'eu-west-1',
      eventTime: '2026-03-01T05:00:00.000Z',
      eventName: 'ObjectCreated:Put',
      userIdentity: { principalId: 'AWS:AIDACKCEVSQ6C2EXAMPLE' },
      requestParameters: { sourceIPAddress: '198.51.100.7' },
      responseElements: {
        'x-amz-request-id': 'C3D13FE58DE4C810',
        'x-amz-id-2': 'FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG',
      },
      s3: {
        s3SchemaVersion: '1.0',
        configurationId: 'uploads',
        bucket: {
          name: 'secret-bucket',
          ownerIdentity: { principalId: 'A3NL1KOZZKExample' },
          arn: 'arn:aws:s3:::secret-bucket',
        },
        object: {
          key: encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+'),
          size: 1024,
          eTag: 'd41d8cd98f00b204e9800998ecf8427e',
          versionId: '096fKKXTRTtl3on89fVO.nfljtsv6qko',
          sequencer: `0055AED6DCD90281E${index}`,
        },
      },
    })),
  };
}

/** The same upload by way of EventBridge, where the key is as it is. */
export function s3BridgeEvent(key: string, detailType = 'Object Created'): unknown {
  return {
    version: '0',
    id: '17793124-05d4-b198-2fde-7ededc63b103',
    'detail-type': detailType,
    source: 'aws.s3',
    account: '123456789012',
    time: '2026-03-01T05:00:00Z',
    region: 'eu-west-1',
    resources: ['arn:aws:s3:::secret-bucket'],
    detail: {
      version: '0',
      bucket: { name: 'secret-bucket' },
      object: {
        key,
        size: 1024,
        etag: 'd41d8cd98f00b204e9800998ecf8427e',
        'version-id': '096fKKXTRTtl3on89fVO.nfljtsv6qko',
        sequencer: '00617F08299329D189',
      },
      'request-id': 'N4N7GDK58NMKJ12R',
      requester: '123456789012',
      'source-ip-address': '198.51.100.7',
      reason: 'PutObject',
    },
  };
}

export interface BatchCall {
  /** Ours, as the queue passes it to the container; null for work of somebody else. */
  readonly jobId: string | null;
  readonly queueId: string;
  readonly status: 'SUBMITTED' | 'PENDING' | 'RUNNABLE' | 'STARTING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED';
  readonly statusReason?: string;
  /** Exit code of each attempt, in order; null where the host was lost. */
  readonly exits?: readonly (number | null)[];
  /** What the container's agent says of its end. */
  readonly containerReason?: string;
}

/** EventBridge's "Batch Job State Change". */
export function batchEvent(call: BatchCall): unknown {
  const { jobId, queueId, status, statusReason, exits = [], containerReason } = call;
  const end = (exit: number | null | undefined) => ({
    ...(exit != null && { exitCode: exit }),
    ...(containerReason !== undefined && { reason: containerReason }),
    logStreamName: 'counterweight/default/8f1b3d2c',
  });
  const arn = `arn:aws:batch:eu-west-1:123456789012:job/${queueId}`;
  return {
    version: '0',
    id: 'c8f9c4b5-76e5-d76a-f980-7011e206042b',
    'detail-type': 'Batch Job State Change',
    source: 'aws.batch',
    account: '123456789012',
    time: '2026-03-01T05:00:00Z',
    region: 'eu-west-1',
    resources: [arn],
    detail: {
      jobArn: arn,
      jobName: 'counterweight',
      jobId: queueId,
      jobQueue: 'arn:aws:batch:eu-west-1:123456789012:job-queue/gpu',
      status,
      ...(statusReason !== undefined && { statusReason }),
      attempts: exits.map((exit) => ({
        container: end(exit),
        startedAt: 1772341200000,
        stoppedAt: 1772341300000,
        statusReason: statusReason ?? 'Essential container in task exited',
      })),
      createdAt: 1772341200000,
      retryStrategy: { attempts: 5, evaluateOnExit: [] },
      dependsOn: [],
      jobDefinition: 'arn:aws:batch:eu-west-1:123456789012:job-definition/gpu:1',
      parameters: {},
      container: {
        image: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/counterweight:gpu',
        command: [],
        volumes: [],
        environment: [
          { name: 'BUCKET', value: 'secret-bucket' },
          ...(jobId === null ? [] : [{ name: 'JOB_ID', value: jobId }]),
        ],
        mountPoints: [],
        ulimits: [],
        networkInterfaces: [],
        resourceRequirements: [{ value: '1', type: 'GPU' }],
        secrets: [],
        ...(exits.length > 0 && end(exits.at(-1))),
      },
      tags: { resourceArn: arn },
      propagateTags: false,
      platformCapabilities: [],
      eksAttempts: [],
    },
  };
}
