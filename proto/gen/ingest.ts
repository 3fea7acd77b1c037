import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Bulletin as _tocsin_v1_Bulletin, Bulletin__Output as _tocsin_v1_Bulletin__Output } from './tocsin/v1/Bulletin.ts';
import type { Columns as _tocsin_v1_Columns, Columns__Output as _tocsin_v1_Columns__Output } from './tocsin/v1/Columns.ts';
import type { DescribeRequest as _tocsin_v1_DescribeRequest, DescribeRequest__Output as _tocsin_v1_DescribeRequest__Output } from './tocsin/v1/DescribeRequest.ts';
import type { DescribeResponse as _tocsin_v1_DescribeResponse, DescribeResponse__Output as _tocsin_v1_DescribeResponse__Output } from './tocsin/v1/DescribeResponse.ts';
import type { Field as _tocsin_v1_Field, Field__Output as _tocsin_v1_Field__Output } from './tocsin/v1/Field.ts';
import type { Gap as _tocsin_v1_Gap, Gap__Output as _tocsin_v1_Gap__Output } from './tocsin/v1/Gap.ts';
import type { IngestServiceClient as _tocsin_v1_IngestServiceClient, IngestServiceDefinition as _tocsin_v1_IngestServiceDefinition } from './tocsin/v1/IngestService.ts';
import type { Item as _tocsin_v1_Item, Item__Output as _tocsin_v1_Item__Output } from './tocsin/v1/Item.ts';
import type { ItemResult as _tocsin_v1_ItemResult, ItemResult__Output as _tocsin_v1_ItemResult__Output } from './tocsin/v1/ItemResult.ts';
import type { MessageResult as _tocsin_v1_MessageResult, MessageResult__Output as _tocsin_v1_MessageResult__Output } from './tocsin/v1/MessageResult.ts';
import type { Position as _tocsin_v1_Position, Position__Output as _tocsin_v1_Position__Output } from './tocsin/v1/Position.ts';
import type { PublishOnceRequest as _tocsin_v1_PublishOnceRequest, PublishOnceRequest__Output as _tocsin_v1_PublishOnceRequest__Output } from './tocsin/v1/PublishOnceRequest.ts';
import type { PublishOnceResponse as _tocsin_v1_PublishOnceResponse, PublishOnceResponse__Output as _tocsin_v1_PublishOnceResponse__Output } from './tocsin/v1/PublishOnceResponse.ts';
import type { PublishRequest as _tocsin_v1_PublishRequest, PublishRequest__Output as _tocsin_v1_PublishRequest__Output } from './tocsin/v1/PublishRequest.ts';
import type { PublishResponse as _tocsin_v1_PublishResponse, PublishResponse__Output as _tocsin_v1_PublishResponse__Output } from './tocsin/v1/PublishResponse.ts';
import type { Reading as _tocsin_v1_Reading, Reading__Output as _tocsin_v1_Reading__Output } from './tocsin/v1/Reading.ts';
import type { SensorDescription as _tocsin_v1_SensorDescription, SensorDescription__Output as _tocsin_v1_SensorDescription__Output } from './tocsin/v1/SensorDescription.ts';
import type { Waveform as _tocsin_v1_Waveform, Waveform__Output as _tocsin_v1_Waveform__Output } from './tocsin/v1/Waveform.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  tocsin: {
    v1: {
      Bulletin: MessageTypeDefinition<_tocsin_v1_Bulletin, _tocsin_v1_Bulletin__Output>
      ClockQuality: EnumTypeDefinition
      Columns: MessageTypeDefinition<_tocsin_v1_Columns, _tocsin_v1_Columns__Output>
      DescribeRequest: MessageTypeDefinition<_tocsin_v1_DescribeRequest, _tocsin_v1_DescribeRequest__Output>
      DescribeResponse: MessageTypeDefinition<_tocsin_v1_DescribeResponse, _tocsin_v1_DescribeResponse__Output>
      Disposition: EnumTypeDefinition
      Field: MessageTypeDefinition<_tocsin_v1_Field, _tocsin_v1_Field__Output>
      Gap: MessageTypeDefinition<_tocsin_v1_Gap, _tocsin_v1_Gap__Output>
      /**
       * Takes what sensors and other systems have to say. Tenant and vendor come from the caller's key
       * (metadata `authorization: Bearer <key>`), never from a message.
       */
      IngestService: SubtypeConstructor<typeof grpc.Client, _tocsin_v1_IngestServiceClient> & { service: _tocsin_v1_IngestServiceDefinition }
      Item: MessageTypeDefinition<_tocsin_v1_Item, _tocsin_v1_Item__Output>
      ItemResult: MessageTypeDefinition<_tocsin_v1_ItemResult, _tocsin_v1_ItemResult__Output>
      MessageResult: MessageTypeDefinition<_tocsin_v1_MessageResult, _tocsin_v1_MessageResult__Output>
      Position: MessageTypeDefinition<_tocsin_v1_Position, _tocsin_v1_Position__Output>
      PublishOnceRequest: MessageTypeDefinition<_tocsin_v1_PublishOnceRequest, _tocsin_v1_PublishOnceRequest__Output>
      PublishOnceResponse: MessageTypeDefinition<_tocsin_v1_PublishOnceResponse, _tocsin_v1_PublishOnceResponse__Output>
      PublishRequest: MessageTypeDefinition<_tocsin_v1_PublishRequest, _tocsin_v1_PublishRequest__Output>
      PublishResponse: MessageTypeDefinition<_tocsin_v1_PublishResponse, _tocsin_v1_PublishResponse__Output>
      QuarantineReason: EnumTypeDefinition
      Reading: MessageTypeDefinition<_tocsin_v1_Reading, _tocsin_v1_Reading__Output>
      SensorDescription: MessageTypeDefinition<_tocsin_v1_SensorDescription, _tocsin_v1_SensorDescription__Output>
      Waveform: MessageTypeDefinition<_tocsin_v1_Waveform, _tocsin_v1_Waveform__Output>
    }
  }
}

