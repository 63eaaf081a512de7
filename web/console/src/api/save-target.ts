/** Where a file is written to. */
export interface Target {
  write (data: Uint8Array<ArrayBuffer>): Promise<void>
  /** Finishes the file. */
  save (): Promise<void>
  /** Leaves no file. */
  discard (): Promise<void>
}

type Picker = (options: object) => Promise<FileSystemFileHandle>

const TYPES = { ndjson: 'application/x-ndjson', csv: 'text/csv' }

/**
 * Lets the user choose where the file is saved, if the browser can, so that it is written while it arrives. Otherwise
 * the file is kept in memory and then downloaded.
 */
export async function openTarget (name: string, format: keyof typeof TYPES): Promise<Target> {
  const { showSaveFilePicker: pick } = window as { showSaveFilePicker?: Picker }
  if (pick === undefined) return inMemory(name, TYPES[format])
  const types = [{ accept: { [TYPES[format]]: [`.${format}`] } }]
  const file = await (await pick.call(window, { suggestedName: name, types })).createWritable()
  return {
    write: async (data) => await file.write(data),
    save: async () => await file.close(),
    discard: async () => await file.abort()
  }
}

function inMemory (name: string, type: string): Target {
  let parts: Array<Uint8Array<ArrayBuffer>> = []
  return {
    async write (data) { parts.push(data) },
    async save () {
      const link = document.createElement('a')
      link.href = URL.createObjectURL(new Blob(parts, { type }))
      link.download = name
      link.click()
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
      parts = []
    },
    async discard () { parts = [] }
  }
}
