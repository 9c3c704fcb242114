using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Rules;
using Skep.Model.Specs;

namespace Skep.Manager.Control;

/// <summary>Turns the names of networks in a service's specification into ids.</summary>
internal static class ServiceNetworks
{
    private static readonly string[] s_local = ["bridge", "host", "none", "docker_gwbridge"];

    public static ServiceSpec Resolve(ServiceSpec spec, StoreView view) => spec with
    {
        TaskTemplate = spec.TaskTemplate with { Networks = Resolve(spec.TaskTemplate.Networks, view) },
        Networks = Resolve(spec.Networks, view),
    };

    private static NetworkAttachmentConfig[]? Resolve(IReadOnlyList<NetworkAttachmentConfig>? attachments, StoreView view) =>
        attachments is null ? null : [.. attachments.Select(a => a with { Target = Resolve(a.Target, view) })];

    private static string Resolve(string target, StoreView view)
    {
        if (s_local.Contains(target, StringComparer.Ordinal) && view.NetworkNamed(target) is null)
        {
            throw new ClusterException(
                ErrorKind.Forbidden,
                $"The network {target} cannot be used with services. Only networks scoped to the swarm can be used, such as those created with the overlay driver.");
        }

        var network = Lookup.Network(view, target);
        return network.Spec.Ingress
            ? throw RpcText.Invalid($"Service cannot be explicitly attached to the ingress network \"{network.Spec.Name}\"")
            : network.Id;
    }
}
