using System.Text.Json.Serialization;

namespace Skep.Model.States;

/// <summary>The states of a task in the order in which it passes through them; a state only grows. Desired states use the same list.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TaskState>))]
public enum TaskState
{
    [JsonStringEnumMemberName("new")] New = 0,
    [JsonStringEnumMemberName("pending")] Pending = 64,
    [JsonStringEnumMemberName("assigned")] Assigned = 192,
    [JsonStringEnumMemberName("accepted")] Accepted = 256,
    [JsonStringEnumMemberName("preparing")] Preparing = 320,
    [JsonStringEnumMemberName("ready")] Ready = 384,
    [JsonStringEnumMemberName("starting")] Starting = 448,
    [JsonStringEnumMemberName("running")] Running = 512,
    [JsonStringEnumMemberName("complete")] Complete = 576,
    [JsonStringEnumMemberName("shutdown")] Shutdown = 640,
    [JsonStringEnumMemberName("failed")] Failed = 704,
    [JsonStringEnumMemberName("rejected")] Rejected = 768,
    [JsonStringEnumMemberName("remove")] Remove = 800,
    [JsonStringEnumMemberName("orphaned")] Orphaned = 832,
}
