/** Something that is wrong with a stack's settings, as an issue of a schema. */
export interface SettingsFault {
  readonly code: 'custom';
  readonly path: (string | number)[];
  readonly message: string;
}
