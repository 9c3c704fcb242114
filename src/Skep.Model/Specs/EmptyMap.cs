using System.Collections.ObjectModel;

namespace Skep.Model.Specs;

internal static class EmptyMap
{
    public static readonly IReadOnlyDictionary<string, string> Strings = ReadOnlyDictionary<string, string>.Empty;
}
