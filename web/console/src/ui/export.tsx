import { useEffect, useRef, useState } from 'preact/hooks'

import { Download } from '../api/download.ts'
import type { DownloadState } from '../api/download.ts'
import type { Format } from '../api/records.ts'
import { Button } from './button.tsx'
import { Dialog } from './dialog.tsx'
import { SelectField } from './field.tsx'
import { bytes, inFull } from './number.ts'
import { ErrorNotice, Notice } from './states.tsx'

interface ExportProps {
  path: string
  /** What is exported, such as "events"; also the name of the file. */
  what: string
  /** The current filters. */
  query: Readonly<Record<string, string>>
  onClose: () => void
}

const NO_MISTAKES = { mistakeOf: () => undefined }
const FORMATS = [['ndjson', 'NDJSON: all members, one a line'], ['csv', 'CSV: for spreadsheets']] as const

/** Saves what the filters select as a file. */
export function Export ({ path, what, query, onClose }: ExportProps) {
  const [format, setFormat] = useState<Format>('ndjson')
  const [state, setState] = useState<DownloadState>()
  const download = useRef<Download | null>(null)
  const filters = Object.keys(query).length
  useEffect(() => () => download.current?.cancel(), [])

  function start () {
    download.current ??= new Download({ path, query, format, name: what.replaceAll(' ', '-') }, setState)
    download.current.run()
  }

  const isRunning = state?.phase === 'running'
  return (
    <Dialog title={`Export ${what}`} onClose={isRunning ? undefined : onClose}>
      {state === undefined
        ? (
          <div class='stack'>
            <p>
              The file has {filters === 0 ? `all ${what}` : `the ${what} that the current filters select`}, newest first.
            </p>
            <SelectField
              name='format' label='Format' form={NO_MISTAKES} choices={FORMATS} value={format}
              onChange={({ currentTarget: { value } }) => setFormat(value === 'csv' ? 'csv' : 'ndjson')}
            />
            <p class='hint'>
              There is no limit of length. An organisation can run two exports at once. Each one is in the audit log.
              {'showSaveFilePicker' in window
                ? ''
                : ' This browser keeps the file in memory until it is complete: for millions of events, choose a period.'}
            </p>
          </div>
          )
        : <Progress state={state} what={what} />}
      <footer class='actions'>
        {isRunning
          ? <Button onClick={() => download.current?.cancel()}>Cancel the export</Button>
          : <Button onClick={onClose}>{state?.phase === 'complete' ? 'Close' : 'Cancel'}</Button>}
        {state === undefined ? <Button kind='primary' icon='download' onClick={start}>Export</Button> : null}
        {state?.phase === 'interrupted' ? <Button kind='primary' onClick={start}>Continue</Button> : null}
      </footer>
    </Dialog>
  )
}

function Progress ({ state: { phase, count, size, error }, what }: { state: DownloadState, what: string }) {
  const amount = `${inFull(count)} ${what}, ${bytes(size)}`
  return (
    <div class='stack'>
      {phase === 'complete'
        ? <Notice kind='good'>The file is complete: {amount}.</Notice>
        : phase === 'cancelled'
          ? <Notice>The export was cancelled after {amount}. No file was saved.</Notice>
          : <p>{amount}</p>}
      {phase === 'running' ? <progress aria-label='The export runs' /> : null}
      <ErrorNotice error={error} />
      {phase === 'interrupted'
        ? (
          <p class='hint'>
            What has been received is kept while this dialog is open. Continue adds the rest: nothing is missing, and
            nothing comes twice.
          </p>
          )
        : null}
      <p class='visually-hidden' role='status'>{phase === 'running' ? 'The export runs.' : ''}</p>
    </div>
  )
}
