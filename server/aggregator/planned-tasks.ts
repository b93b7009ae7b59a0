import type { ManifestEntry, ManifestTask } from '../../crypto/manifest.ts';
import type { TaskStore } from '../storage/tasks.ts';

/** The tasks of a round's manifest, each stored with the exact bytes of its entry. */
export function keepTasks(
  store: TaskStore,
  manifestHash: Uint8Array,
  tasks: readonly { readonly entry: ManifestEntry; readonly task: ManifestTask }[],
  entries: readonly Uint8Array[],
): void {
  for (const [index, { entry, task }] of tasks.entries()) {
    store.insert({
      taskId: task.taskId,
      manifestHash,
      groupIndex: index,
      groupName: entry.name,
      department: entry.department,
      rosterSize: entry.roster_size,
      entry: entries[index] as Uint8Array,
      configuration: task.configuration,
    });
  }
}
