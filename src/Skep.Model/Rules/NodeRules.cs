using System.Collections.Immutable;
using Skep.Model.Specs;

namespace Skep.Model.Rules;

public static class NodeRules
{
    public static ImmutableArray<Problem> Check(NodeSpec spec)
    {
        var problems = ImmutableArray.CreateBuilder<Problem>();
        if (spec.Role is not (NodeSpec.Worker or NodeSpec.Manager))
        {
            problems.Add(new Problem($"invalid Role: \"{spec.Role}\"", Word: true));
        }

        if (spec.Availability is not (NodeSpec.Active or NodeSpec.Pause or NodeSpec.Drain))
        {
            problems.Add(new Problem($"invalid Availability: \"{spec.Availability}\"", Word: true));
        }

        return problems.ToImmutable();
    }
}
