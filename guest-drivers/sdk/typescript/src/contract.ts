// The values that a driver and its host exchange. Their types are generated from the contract, with its comments.

export type {
  BackupIdentity,
  BodyInfo,
  BodyNeeds,
  ByteRange,
  ContainerPage,
  DriverInfo,
  ObjectAddress,
  ObjectInfo,
  OptionInfo,
  OptionKind,
  Page,
  Placement,
  Setting,
} from 'cofferdam:backup/types@0.1.0';
export type { InputStream, OutputStream } from 'wasi:io/streams@0.2.12';
