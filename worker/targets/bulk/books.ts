import type { DeliveryMeter } from './delivery-meter.ts';
import type { RefusedItem } from './outcomes.ts';
import type { Piece } from './piece.ts';

export interface Delivered {
  indexed: number;
  superseded: number;
}

/** Called for each item that the cluster will never take, while the piece still holds its bytes. */
export type OnRefused = (item: RefusedItem, piece: Piece) => void;

/** Where the outcomes of a batch are booked. */
export interface Books {
  readonly delivered: Delivered;
  readonly meter: DeliveryMeter;
  readonly onRefused: OnRefused;
}
