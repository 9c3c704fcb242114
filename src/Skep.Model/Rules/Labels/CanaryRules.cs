using Skep.Model.Specs;

namespace Skep.Model.Rules.Labels;

/// <summary>A canary: a service whose tasks serve another's VIP and published ports too.</summary>
public static class CanaryRules
{
    private const string Stack = "com.docker.stack.namespace";

    public static bool IsCanary(IReadOnlyDictionary<string, string>? labels) => labels?.ContainsKey(LabelNames.BalanceWith) == true;

    /// <summary>
    /// The names that the served service may have, the one to try first in front: a name in a stack's file is that of a service of the
    /// stack before it is anybody else's. None when the service serves its own flows only.
    /// </summary>
    public static IReadOnlyList<string> NamesServedBy(ServiceSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return ServiceLabels.Of(spec).Balance.With is not { } with
            ? []
            : spec.Labels.TryGetValue(Stack, out var stack) ? [$"{stack}_{with}", with] : [with];
    }
}
