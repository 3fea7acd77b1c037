// Original file: proto/tocsin/v1/operations.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { StatusRequest as _tocsin_v1_StatusRequest, StatusRequest__Output as _tocsin_v1_StatusRequest__Output } from '../../tocsin/v1/StatusRequest.ts';
import type { StatusResponse as _tocsin_v1_StatusResponse, StatusResponse__Output as _tocsin_v1_StatusResponse__Output } from '../../tocsin/v1/StatusResponse.ts';

/**
 * How the way from the vendors' door to the incidents is doing. For operators and exercises; a vendor's key is
 * refused.
 */
export interface OperationsServiceClient extends grpc.Client {
  Status(argument: _tocsin_v1_StatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tocsin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  Status(argument: _tocsin_v1_StatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tocsin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  Status(argument: _tocsin_v1_StatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tocsin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  Status(argument: _tocsin_v1_StatusRequest, callback: grpc.requestCallback<_tocsin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _tocsin_v1_StatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tocsin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _tocsin_v1_StatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tocsin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _tocsin_v1_StatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tocsin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  status(argument: _tocsin_v1_StatusRequest, callback: grpc.requestCallback<_tocsin_v1_StatusResponse__Output>): grpc.ClientUnaryCall;
  
}

/**
 * How the way from the vendors' door to the incidents is doing. For operators and exercises; a vendor's key is
 * refused.
 */
export interface OperationsServiceHandlers extends grpc.UntypedServiceImplementation {
  Status: grpc.handleUnaryCall<_tocsin_v1_StatusRequest__Output, _tocsin_v1_StatusResponse>;
  
}

export interface OperationsServiceDefinition extends grpc.ServiceDefinition {
  Status: MethodDefinition<_tocsin_v1_StatusRequest, _tocsin_v1_StatusResponse, _tocsin_v1_StatusRequest__Output, _tocsin_v1_StatusResponse__Output>
}
