using Skep.Model.Errors;
using Skep.Model.Objects;

namespace Skep.Manager.Control;

/// <summary>Where an updated service's registry credentials come from: the request, its present specification or the previous one.</summary>
public sealed record RegistryAuthSource(string? Header, bool FromPrevious)
{
    /// <param name="header">X-Registry-Auth; null or empty = none.</param>
    /// <param name="from">The query parameter registryAuthFrom: spec (also when empty) or previous-spec.</param>
    public static RegistryAuthSource Of(string? header, string? from) => from switch
    {
        null or "" or "spec" => new RegistryAuthSource(header, FromPrevious: false),
        "previous-spec" => new RegistryAuthSource(header, FromPrevious: true),
        _ => throw ClusterException.Invalid($"unsupported registryAuthFrom value: {from}"),
    };

    internal string? Choose(SwarmService service)
    {
        if (!string.IsNullOrEmpty(Header))
        {
            return Header;
        }

        var spec = FromPrevious
            ? service.PreviousSpec ?? throw ClusterException.Invalid($"service {service.Spec.Name} does not have a previous spec")
            : service.Spec;
        return spec.TaskTemplate.ContainerSpec?.PullOptions?.RegistryAuth;
    }
}
