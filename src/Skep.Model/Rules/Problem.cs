using Skep.Model.Errors;

namespace Skep.Model.Rules;

/// <summary>One thing that is wrong with a request.</summary>
/// <param name="Text">Swarm's words for it where it has some.</param>
/// <param name="Word">True for a word that means nothing; Swarm says these without its RPC prefix.</param>
public readonly record struct Problem(string Text, bool Word = false)
{
    /// <summary>Refuses the request with all that is wrong with it.</summary>
    public static void Refuse(IReadOnlyCollection<Problem> problems)
    {
        if (problems.Count > 0)
        {
            var text = string.Join("; ", problems.Select(p => p.Text));
            throw problems.All(p => p.Word) ? ClusterException.Invalid(text) : RpcText.Refusal(ErrorKind.InvalidArgument, text);
        }
    }
}
