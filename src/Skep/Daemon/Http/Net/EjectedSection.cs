using Skep.EngineApi.Net;
using Skep.Network.Ejection;

namespace Skep.Daemon.Http.Net;

/// <summary>Backends that this node sends nothing new to.</summary>
internal static class EjectedSection
{
    /// <summary>Null when none is left out.</summary>
    public static NetStatusSection? Of(IReadOnlyList<EjectedBackend> ejected) => ejected.Count == 0 ? null : new(
        "ejected",
        "Backends that this node sends nothing new to",
        ["NETWORK", "SERVICE", "TASK", "BACKEND", "SINCE", "NEXT TRIAL", "REASON"],
        [
            .. ejected.Select(e => (IReadOnlyList<string>)
                [e.Network, e.Service, e.TaskId, e.Backend, StatusTime.Of(e.Since), e.NextTrial is { } next ? StatusTime.Of(next) : "-", e.Reason]),
        ]);
}
