// Original file: proto/tocsin/v1/ingest.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { DescribeRequest as _tocsin_v1_DescribeRequest, DescribeRequest__Output as _tocsin_v1_DescribeRequest__Output } from '../../tocsin/v1/DescribeRequest.ts';
import type { DescribeResponse as _tocsin_v1_DescribeResponse, DescribeResponse__Output as _tocsin_v1_DescribeResponse__Output } from '../../tocsin/v1/DescribeResponse.ts';
import type { PublishOnceRequest as _tocsin_v1_PublishOnceRequest, PublishOnceRequest__Output as _tocsin_v1_PublishOnceRequest__Output } from '../../tocsin/v1/PublishOnceRequest.ts';
import type { PublishOnceResponse as _tocsin_v1_PublishOnceResponse, PublishOnceResponse__Output as _tocsin_v1_PublishOnceResponse__Output } from '../../tocsin/v1/PublishOnceResponse.ts';
import type { PublishRequest as _tocsin_v1_PublishRequest, PublishRequest__Output as _tocsin_v1_PublishRequest__Output } from '../../tocsin/v1/PublishRequest.ts';
import type { PublishResponse as _tocsin_v1_PublishResponse, PublishResponse__Output as _tocsin_v1_PublishResponse__Output } from '../../tocsin/v1/PublishResponse.ts';

/**
 * Takes what sensors and other systems have to say. Tenant and vendor come from the caller's key
 * (metadata `authorization: Bearer <key>`), never from a message.
 */
export interface IngestServiceClient extends grpc.Client {
  /**
   * Registers sensors. Repeat it at every start: it replaces what was said before of the same sensors.
   */
  Describe(argument: _tocsin_v1_DescribeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tocsin_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  Describe(argument: _tocsin_v1_DescribeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tocsin_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  Describe(argument: _tocsin_v1_DescribeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tocsin_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  Describe(argument: _tocsin_v1_DescribeRequest, callback: grpc.requestCallback<_tocsin_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Registers sensors. Repeat it at every start: it replaces what was said before of the same sensors.
   */
  describe(argument: _tocsin_v1_DescribeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tocsin_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  describe(argument: _tocsin_v1_DescribeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tocsin_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  describe(argument: _tocsin_v1_DescribeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tocsin_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  describe(argument: _tocsin_v1_DescribeRequest, callback: grpc.requestCallback<_tocsin_v1_DescribeResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Sends items and gets them acknowledged, in windows, over one long-lived stream. A client may have several
   * messages unacknowledged; the server pauses the stream when there are too many. After a broken stream, send
   * whatever was not acknowledged again, with the same identities.
   */
  Publish(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_tocsin_v1_PublishRequest, _tocsin_v1_PublishResponse__Output>;
  Publish(options?: grpc.CallOptions): grpc.ClientDuplexStream<_tocsin_v1_PublishRequest, _tocsin_v1_PublishResponse__Output>;
  /**
   * Sends items and gets them acknowledged, in windows, over one long-lived stream. A client may have several
   * messages unacknowledged; the server pauses the stream when there are too many. After a broken stream, send
   * whatever was not acknowledged again, with the same identities.
   */
  publish(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_tocsin_v1_PublishRequest, _tocsin_v1_PublishResponse__Output>;
  publish(options?: grpc.CallOptions): grpc.ClientDuplexStream<_tocsin_v1_PublishRequest, _tocsin_v1_PublishResponse__Output>;
  
  /**
   * The same for a small client: one message, answered when it is durable.
   */
  PublishOnce(argument: _tocsin_v1_PublishOnceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tocsin_v1_PublishOnceResponse__Output>): grpc.ClientUnaryCall;
  PublishOnce(argument: _tocsin_v1_PublishOnceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tocsin_v1_PublishOnceResponse__Output>): grpc.ClientUnaryCall;
  PublishOnce(argument: _tocsin_v1_PublishOnceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tocsin_v1_PublishOnceResponse__Output>): grpc.ClientUnaryCall;
  PublishOnce(argument: _tocsin_v1_PublishOnceRequest, callback: grpc.requestCallback<_tocsin_v1_PublishOnceResponse__Output>): grpc.ClientUnaryCall;
  /**
   * The same for a small client: one message, answered when it is durable.
   */
  publishOnce(argument: _tocsin_v1_PublishOnceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tocsin_v1_PublishOnceResponse__Output>): grpc.ClientUnaryCall;
  publishOnce(argument: _tocsin_v1_PublishOnceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tocsin_v1_PublishOnceResponse__Output>): grpc.ClientUnaryCall;
  publishOnce(argument: _tocsin_v1_PublishOnceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tocsin_v1_PublishOnceResponse__Output>): grpc.ClientUnaryCall;
  publishOnce(argument: _tocsin_v1_PublishOnceRequest, callback: grpc.requestCallback<_tocsin_v1_PublishOnceResponse__Output>): grpc.ClientUnaryCall;
  
}

/**
 * Takes what sensors and other systems have to say. Tenant and vendor come from the caller's key
 * (metadata `authorization: Bearer <key>`), never from a message.
 */
export interface IngestServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Registers sensors. Repeat it at every start: it replaces what was said before of the same sensors.
   */
  Describe: grpc.handleUnaryCall<_tocsin_v1_DescribeRequest__Output, _tocsin_v1_DescribeResponse>;
  
  /**
   * Sends items and gets them acknowledged, in windows, over one long-lived stream. A client may have several
   * messages unacknowledged; the server pauses the stream when there are too many. After a broken stream, send
   * whatever was not acknowledged again, with the same identities.
   */
  Publish: grpc.handleBidiStreamingCall<_tocsin_v1_PublishRequest__Output, _tocsin_v1_PublishResponse>;
  
  /**
   * The same for a small client: one message, answered when it is durable.
   */
  PublishOnce: grpc.handleUnaryCall<_tocsin_v1_PublishOnceRequest__Output, _tocsin_v1_PublishOnceResponse>;
  
}

export interface IngestServiceDefinition extends grpc.ServiceDefinition {
  Describe: MethodDefinition<_tocsin_v1_DescribeRequest, _tocsin_v1_DescribeResponse, _tocsin_v1_DescribeRequest__Output, _tocsin_v1_DescribeResponse__Output>
  Publish: MethodDefinition<_tocsin_v1_PublishRequest, _tocsin_v1_PublishResponse, _tocsin_v1_PublishRequest__Output, _tocsin_v1_PublishResponse__Output>
  PublishOnce: MethodDefinition<_tocsin_v1_PublishOnceRequest, _tocsin_v1_PublishOnceResponse, _tocsin_v1_PublishOnceRequest__Output, _tocsin_v1_PublishOnceResponse__Output>
}
