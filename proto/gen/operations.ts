import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { OperationsServiceClient as _tocsin_v1_OperationsServiceClient, OperationsServiceDefinition as _tocsin_v1_OperationsServiceDefinition } from './tocsin/v1/OperationsService.ts';
import type { StatusRequest as _tocsin_v1_StatusRequest, StatusRequest__Output as _tocsin_v1_StatusRequest__Output } from './tocsin/v1/StatusRequest.ts';
import type { StatusResponse as _tocsin_v1_StatusResponse, StatusResponse__Output as _tocsin_v1_StatusResponse__Output } from './tocsin/v1/StatusResponse.ts';
import type { VendorStatus as _tocsin_v1_VendorStatus, VendorStatus__Output as _tocsin_v1_VendorStatus__Output } from './tocsin/v1/VendorStatus.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  tocsin: {
    v1: {
      /**
       * How the way from the vendors' door to the incidents is doing. For operators and exercises; a vendor's key is
       * refused.
       */
      OperationsService: SubtypeConstructor<typeof grpc.Client, _tocsin_v1_OperationsServiceClient> & { service: _tocsin_v1_OperationsServiceDefinition }
      StatusRequest: MessageTypeDefinition<_tocsin_v1_StatusRequest, _tocsin_v1_StatusRequest__Output>
      StatusResponse: MessageTypeDefinition<_tocsin_v1_StatusResponse, _tocsin_v1_StatusResponse__Output>
      VendorStatus: MessageTypeDefinition<_tocsin_v1_VendorStatus, _tocsin_v1_VendorStatus__Output>
    }
  }
}

