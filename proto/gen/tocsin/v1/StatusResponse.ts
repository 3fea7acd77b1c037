// Original file: proto/tocsin/v1/operations.proto

import type { VendorStatus as _tocsin_v1_VendorStatus, VendorStatus__Output as _tocsin_v1_VendorStatus__Output } from '../../tocsin/v1/VendorStatus.ts';
import type { Long } from '@grpc/proto-loader';

export interface StatusResponse {
  /**
   * Newest position in the archive.
   */
  'archivedThrough'?: (number | string | Long);
  /**
   * Everything up to here went through detection and reached its incidents.
   */
  'relayedThrough'?: (number | string | Long);
  /**
   * Detections and evidence that wait for delivery.
   */
  'inboxDepth'?: (number);
  /**
   * Number of deliveries to incidents since the process started.
   */
  'touches'?: (number | string | Long);
  /**
   * Incidents touched after the requested number, in order, each once.
   */
  'touched'?: (string)[];
  /**
   * False when older deliveries than the last 10,000 were asked for: list open incidents instead.
   */
  'touchedComplete'?: (boolean);
  'vendors'?: (_tocsin_v1_VendorStatus)[];
  /**
   * Changes when the ingest process starts: `touches` counts from 0 again.
   */
  'process'?: (string);
}

export interface StatusResponse__Output {
  /**
   * Newest position in the archive.
   */
  'archivedThrough': (string);
  /**
   * Everything up to here went through detection and reached its incidents.
   */
  'relayedThrough': (string);
  /**
   * Detections and evidence that wait for delivery.
   */
  'inboxDepth': (number);
  /**
   * Number of deliveries to incidents since the process started.
   */
  'touches': (string);
  /**
   * Incidents touched after the requested number, in order, each once.
   */
  'touched': (string)[];
  /**
   * False when older deliveries than the last 10,000 were asked for: list open incidents instead.
   */
  'touchedComplete': (boolean);
  'vendors': (_tocsin_v1_VendorStatus__Output)[];
  /**
   * Changes when the ingest process starts: `touches` counts from 0 again.
   */
  'process': (string);
}
