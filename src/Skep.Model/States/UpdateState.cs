using System.Text.Json.Serialization;

namespace Skep.Model.States;

[JsonConverter(typeof(JsonStringEnumConverter<UpdateState>))]
public enum UpdateState
{
    [JsonStringEnumMemberName("updating")] Updating,
    [JsonStringEnumMemberName("paused")] Paused,
    [JsonStringEnumMemberName("completed")] Completed,
    [JsonStringEnumMemberName("rollback_started")] RollbackStarted,
    [JsonStringEnumMemberName("rollback_paused")] RollbackPaused,
    [JsonStringEnumMemberName("rollback_completed")] RollbackCompleted,
}
