using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Protocol.Records;

namespace Skep.Manager.Control;

/// <summary>Tasks that are as their service now wants them: what clients count while they wait for a service to converge.</summary>
public sealed class UpToDateTasks(StoreView view)
{
    public bool Contains(SwarmTask task) =>
        view.Services.TryGetValue(task.ServiceId, out var service) && (task.SpecVersion == service.SpecVersion || SameWish(task, service));

    // A change of replicas or labels alone makes a new version of the wish, and leaves every task as it is.
    private static bool SameWish(SwarmTask task, SwarmService service) =>
        RecordCodec.Encode(task.Spec, RecordJson.Default.TaskSpec).AsSpan().SequenceEqual(
            RecordCodec.Encode(service.Spec.TaskTemplate, RecordJson.Default.TaskSpec))
        && RecordCodec.Encode(task.Endpoint ?? new(), RecordJson.Default.EndpointSpec).AsSpan().SequenceEqual(
            RecordCodec.Encode(service.Spec.EndpointSpec ?? new(), RecordJson.Default.EndpointSpec));
}
