import { open } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'

// sun_path holds 108 bytes on Linux and 104 on macOS and the BSDs, including the final NUL.
const PATH_BYTES = process.platform === 'linux' ? 107 : 103
const NAME_BYTES = 32

export interface SocketFolder {
  /** Returns the path of a name in the folder, short enough for a socket address. Valid until `close()`. */
  path(name: string): string
  close(): Promise<void>
}

/**
 * Gives short paths to sockets in a deep folder: the absolute or relative path, whichever is shorter, else a path
 * through an open handle of the folder, which only Linux supports.
 *
 * @throws an Error that names the folder if its path is too long for a socket
 */
export async function openSocketFolder (folder: string): Promise<SocketFolder> {
  const absolute = resolve(folder)
  const fromHere = relative(process.cwd(), absolute)
  const shorter = fromHere !== '' && Buffer.byteLength(fromHere) < Buffer.byteLength(absolute) ? fromHere : absolute
  if (Buffer.byteLength(shorter) + 1 + NAME_BYTES <= PATH_BYTES) {
    return { path: (name) => join(shorter, name), close: async () => {} }
  }

  if (process.platform !== 'linux') {
    throw new Error(
      `The path of the folder ${absolute} is too long: a socket path is limited to ${PATH_BYTES} bytes; ` +
        'choose a shorter path'
    )
  }
  const handle = await open(absolute)
  return { path: (name) => `/proc/self/fd/${handle.fd}/${name}`, close: () => handle.close() }
}
