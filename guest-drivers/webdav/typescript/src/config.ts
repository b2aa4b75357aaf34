// The options, and what they must be together.

import {
  InvalidConfiguration,
  type OptionInfo,
  type Secret,
  type Settings,
  Unsupported,
  byteLength,
  placement,
} from 'cofferdam-driver';
import { Dav, checkContainer } from './dav.ts';

const URL = 'webdav_url';
const USER = 'webdav_user';
const PASSWORD = 'webdav_password';
const CONTAINER = 'webdav_container';
const OBJECT_SIZE = 'webdav_file_size';
const BLOCK_SIZE = 'webdav_sha_block_size_bytes';

const DEFAULT_CONTAINER = 'volumebackups';
const DEFAULT_OBJECT_SIZE = 128n << 20n;
/** Bytes that a user's name may have: what the host takes before a secret, less the colon. */
const LONGEST_USER = 1023;

export const OPTIONS: OptionInfo[] = [
  {
    name: URL,
    kind: 'url',
    required: true,
    description: 'The URL of the collection below which the containers are. It must be there.',
  },
  {
    name: USER,
    kind: 'text',
    required: false,
    default: 'none',
    description: 'The user, for basic authentication; together with webdav_password.',
  },
  { name: PASSWORD, kind: 'secret', required: false, default: 'none', description: "The user's password." },
  {
    name: CONTAINER,
    kind: 'text',
    required: false,
    default: DEFAULT_CONTAINER,
    description:
      'The container for backups whose user names none: the name of a collection right below the URL; made if it is missing.',
  },
  {
    name: OBJECT_SIZE,
    kind: 'size',
    required: false,
    default: `${DEFAULT_OBJECT_SIZE}`,
    description: `Bytes of volume in one object: a positive multiple of ${BLOCK_SIZE}.`,
  },
  {
    name: BLOCK_SIZE,
    kind: 'size',
    required: false,
    default: `${placement.CINDERS_BLOCK_SIZE}`,
    description:
      'Bytes of volume for which one SHA-256 is kept, the unit of incremental backups: 1 to 4294967295.',
  },
];

/** What the settings say. */
export interface Config {
  dav: Dav;
  container: string;
  portions: placement.Portions;
}

/** Reads and checks all options. */
export function readConfig(settings: Settings): Config {
  const url = settings.requiredUrl(URL);
  if (url.query !== undefined) throw new InvalidConfiguration(URL, 'the URL holds a query (?)');
  const container = settings.text(CONTAINER) ?? DEFAULT_CONTAINER;
  try {
    checkContainer(container);
  } catch (thrown) {
    throw thrown instanceof Unsupported ? new InvalidConfiguration(CONTAINER, thrown.message) : thrown;
  }
  return {
    container,
    portions: placement.readPortions(settings, OBJECT_SIZE, BLOCK_SIZE, DEFAULT_OBJECT_SIZE),
    dav: new Dav(url, authorization(settings.text(USER), settings.secret(PASSWORD))),
  };
}

/** The header's value with a placeholder in the place of user and password. */
function authorization(user: string | undefined, password: Secret | undefined): string | undefined {
  if (user === undefined && password === undefined) return undefined;
  if (password === undefined) throw new InvalidConfiguration(PASSWORD, 'it is absent, though webdav_user is there');
  if (user === undefined) throw new InvalidConfiguration(USER, 'it is absent, though webdav_password is there');
  if (/[:\u0000-\u001f\u007f-\u009f]/.test(user)) {
    throw new InvalidConfiguration(USER, "a user's name holds no `:` and no control character");
  }
  if (byteLength(user) > LONGEST_USER) {
    throw new InvalidConfiguration(USER, `a user's name has at most ${LONGEST_USER} bytes, found ${byteLength(user)}`);
  }
  return `Basic ${password.placeholder(`${user}:`, 'base64')}`;
}
